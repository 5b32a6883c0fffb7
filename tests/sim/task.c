/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/sim/sim.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define LEAVE(fake, stack, size) __sanitizer_start_switch_fiber(fake, stack, size)
#define ARRIVE(fake, stack, size) __sanitizer_finish_switch_fiber(fake, stack, size)
#else
#define LEAVE(fake, stack, size) ((void)(fake), (void)(stack), (void)(size))
#define ARRIVE(fake, stack, size) ((void)(fake), (void)(stack), (void)(size))
#endif

enum { TASKS = 1024, STACK = 256 * 1024 };

struct task {
        ucontext_t context;
        char *stack;
        void *fake;
        void (*work)(void *argument);
        void *argument;
        enum world_pool pool;
        char whose[32];
        enum { TASK_FREE, TASK_QUEUED, TASK_WAITING, TASK_RUNNING } state;
        uint64_t turn; /* of its place: what was meant for an earlier task is not for this one */
};

static struct task tasks[TASKS];
static size_t task_count; /* places that were ever used */
static ucontext_t outside;
static void *outside_fake;
static const void *outside_stack;
static size_t outside_size;
static struct task *inside;

bool task_is_inside(void)
{
        return inside != NULL;
}

static void begin(void)
{
        ARRIVE(NULL, &outside_stack, &outside_size);
        inside->work(inside->argument);
        inside->state = TASK_FREE;
        LEAVE(NULL, outside_stack, outside_size);
        setcontext(&outside);
}

/* Goes on with a task until it waits or ends. */
static void enter(struct task *task)
{
        inside = task;
        task->state = TASK_RUNNING;
        LEAVE(&outside_fake, task->stack, STACK);
        swapcontext(&outside, &task->context);
        ARRIVE(outside_fake, NULL, NULL);
        inside = NULL;
        if (task->state == TASK_FREE)
                task->turn++;
}

static void begin_next(struct sim *sim);

static void wake(struct sim *sim, int64_t argument)
{
        struct task *task = &tasks[argument % TASKS];
        if (sim->now < sim->stopped_until) {
                sim_at(sim, sim->stopped_until, wake, argument);
                return;
        }
        if (task->turn == (uint64_t)(argument / TASKS) && task->state == TASK_WAITING)
                enter(task);
        begin_next(sim);
}

static void begin_task(struct task *task)
{
        if (!task->stack) {
                task->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
                assert(task->stack != MAP_FAILED);
        }
        getcontext(&task->context);
        task->context.uc_stack.ss_sp = task->stack;
        task->context.uc_stack.ss_size = STACK;
        task->context.uc_link = NULL;
        makecontext(&task->context, begin, 0);
        enter(task);
}

/* Whether its pool has a thread left for the one that it waits for. */
static bool has_thread(const struct task *task)
{
        size_t busy = 0;
        for (size_t i = 0; i < task_count; i++)
                busy += (tasks[i].state == TASK_WAITING || tasks[i].state == TASK_RUNNING) &&
                        tasks[i].pool == task->pool && strcmp(tasks[i].whose, task->whose) == 0;
        return busy < WORLD_AT_ONCE;
}

/* Whoever waits for a thread gets one, when there is one. */
static void begin_next(struct sim *sim)
{
        (void)sim;
        for (size_t i = 0; i < task_count; i++)
                if (tasks[i].state == TASK_QUEUED && has_thread(&tasks[i]))
                        begin_task(&tasks[i]);
}

static void look_for_work(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->now < sim->stopped_until)
                sim_at(sim, sim->stopped_until, look_for_work, 0);
        else
                begin_next(sim);
}

int task_start(struct sim *sim, enum world_pool pool, const char *whose, void (*work)(void *argument),
               void *argument)
{
        size_t i = 0;
        while (i < task_count && tasks[i].state != TASK_FREE)
                i++;
        assert(i < TASKS);
        task_count = i == task_count ? i + 1 : task_count;
        tasks[i].work = work;
        tasks[i].argument = argument;
        tasks[i].pool = pool;
        snprintf(tasks[i].whose, sizeof(tasks[i].whose), "%s", whose ? whose : "");
        tasks[i].state = TASK_QUEUED;
        sim_after(sim, 0, 5 * NSEC_PER_MSEC, look_for_work, 0);
        return 0;
}

void task_wait(struct sim *sim, nsec duration)
{
        struct task *task = inside;
        if (!task || sim->dead)
                return;
        task->state = TASK_WAITING;
        sim_at(sim, sim->now + duration, wake, (int64_t)task->turn * TASKS + (task - tasks));
        LEAVE(&task->fake, outside_stack, outside_size);
        swapcontext(&task->context, &outside);
        ARRIVE(task->fake, &outside_stack, &outside_size);
}

size_t tasks_under_way(void)
{
        size_t count = 0;
        for (size_t i = 0; i < task_count; i++)
                count += tasks[i].state == TASK_WAITING;
        return count;
}

void tasks_drop(void)
{
        for (size_t i = 0; i < task_count; i++)
                if (tasks[i].state == TASK_QUEUED) {
                        tasks[i].state = TASK_FREE;
                        tasks[i].turn++;
                }
}

void tasks_drain(struct sim *sim)
{
        tasks_drop();
        assert(sim->dead);
        for (size_t i = 0; i < task_count; i++)
                while (tasks[i].state == TASK_WAITING)
                        enter(&tasks[i]);
        tasks_drop();
}

void tasks_free(void)
{
        for (size_t i = 0; i < task_count; i++)
                if (tasks[i].stack)
                        munmap(tasks[i].stack, STACK);
}
