/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer without libFuzzer: each file of the directories and files given, then fuzz_mutations
 * mutations of them. What made it fail is left beside the program, under its name with ".crash".
 *
 * For a longer search: FUZZ_MUTATIONS=1000000 FUZZ_SEED=2 build/asan/tests/fuzz/fuzz_bind
 * tests/fuzz/corpus/bind
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum {
        MAX_SIZE = 16 * 1024, /* of a mutation */
        MAX_STEPS = 8,        /* changes to one input */
        PATIENCE = 60,        /* seconds for one input: beyond it hangs */
};

struct input {
        uint8_t *data;
        size_t size;
};

static struct input *corpus;
static size_t corpus_count;

static const char **words;
static size_t word_count;

/* The one that is being tried, for the crash file. */
static struct input current;
static char crash_path[4096];

/* From the sanitizers, where there are any. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* libfyaml 0.7.12 forgets the buffer of a long quoted scalar that is not closed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
        return "leak:libfyaml.so\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
        return "print_suppressions=0";
}

static void save_current(void)
{
        int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return;
        ssize_t written = write(fd, current.data, current.size);
        close(fd);
        if (written == (ssize_t)current.size) {
                (void)!write(STDERR_FILENO, "\nthe input is in ", 17);
                (void)!write(STDERR_FILENO, crash_path, strlen(crash_path));
                (void)!write(STDERR_FILENO, "\n", 1);
        }
}

static void on_signal(int number)
{
        save_current();
        signal(number, SIG_DFL);
        raise(number);
}

static void try_input(const uint8_t *data, size_t size)
{
        /* A copy of exactly this size, so that reading behind it is seen. */
        uint8_t *copy = malloc(size > 0 ? size : 1);
        FUZZ_ASSERT(copy);
        if (size > 0)
                memcpy(copy, data, size);
        current = (struct input){copy, size};
        alarm(PATIENCE);
        LLVMFuzzerTestOneInput(copy, size);
        alarm(0);
        current = (struct input){0};
        free(copy);
}

static int add_file(const char *path)
{
        FILE *file = fopen(path, "rb");
        struct stat status;
        if (!file || fstat(fileno(file), &status) < 0) {
                perror(path);
                return -1;
        }
        struct input *bigger = reallocarray(corpus, corpus_count + 1, sizeof(*corpus));
        FUZZ_ASSERT(bigger);
        corpus = bigger;
        size_t size = (size_t)status.st_size;
        uint8_t *data = malloc(size > 0 ? size : 1);
        FUZZ_ASSERT(data);
        FUZZ_ASSERT(fread(data, 1, size, file) == size);
        fclose(file);
        corpus[corpus_count++] = (struct input){data, size};
        return 0;
}

static int is_visible(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

/* In the order of names, so that every run is the same. */
static int add(const char *path)
{
        struct dirent **entries = NULL;
        int count = scandir(path, &entries, is_visible, alphasort), result = 0;
        if (count < 0)
                return add_file(path);
        for (int i = 0; i < count; i++) {
                char file[4096];
                snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
                if (add_file(file) < 0)
                        result = -1;
                free(entries[i]);
        }
        free(entries);
        return result;
}

/* xorshift64*: Marsaglia 2003, Vigna 2016. */
static uint64_t random_state = 0x9e3779b97f4a7c15;

static size_t below(size_t limit)
{
        random_state ^= random_state >> 12;
        random_state ^= random_state << 25;
        random_state ^= random_state >> 27;
        return limit > 0 ? (size_t)((random_state * 0x2545f4914f6cdd1d) >> 33) % limit : 0;
}

/* Puts `size` bytes of `data` in place of `cut` bytes at `at`, as far as there is room. */
static void replace(struct input *input, size_t at, size_t cut, const uint8_t *data, size_t size)
{
        size_t rest = input->size - at - cut;
        if (at + size + rest > MAX_SIZE)
                return;
        memmove(input->data + at + size, input->data + at + cut, rest);
        if (size > 0)
                memmove(input->data + at, data, size);
        input->size = at + size + rest;
}

static void mutate(struct input *input)
{
        static const uint8_t special[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '\n', '\t', ' ', '"', '\'',
                                          '\\', '$',  '{',  '}',  '[',  ']',  ':',  ',', '-', '0'};
        size_t at = below(input->size + 1), rest = input->size - at;
        uint8_t block[256];
        switch (below(8)) {
        case 0:
                if (rest > 0)
                        input->data[at] ^= (uint8_t)(1u << below(8));
                break;
        case 1:
                if (rest > 0)
                        input->data[at] = special[below(sizeof(special))];
                break;
        case 2: replace(input, at, 0, &special[below(sizeof(special))], 1); break;
        case 3: replace(input, at, below((rest < 32 ? rest : 32) + 1), NULL, 0); break;
        case 4: {
                size_t size = below((rest < sizeof(block) ? rest : sizeof(block)) + 1);
                memcpy(block, input->data + at, size);
                replace(input, below(input->size + 1), 0, block, size);
                break;
        }
        case 5:
        case 6: {
                const char *word = word_count > 0 ? words[below(word_count)] : "";
                size_t cut = below(2) ? below((rest < 8 ? rest : 8) + 1) : 0;
                replace(input, at, cut, (const uint8_t *)word, strlen(word));
                break;
        }
        default: {
                const struct input *other = &corpus[below(corpus_count)];
                size_t from = below(other->size + 1), size = below(other->size - from + 1);
                replace(input, at, below(rest + 1), other->data + from, size);
        }
        }
}

static void add_word(const char *word)
{
        const char **bigger = reallocarray(words, word_count + 1, sizeof(*words));
        FUZZ_ASSERT(bigger);
        words = bigger;
        words[word_count++] = word;
}

static void collect_words(void)
{
        for (size_t i = 0; fuzz_words[i]; i++)
                add_word(fuzz_words[i]);
        for (size_t i = 0; fuzz_table_word && fuzz_table_word(i); i++)
                add_word(fuzz_table_word(i));
}

static uint64_t number_from(const char *variable, uint64_t fallback)
{
        const char *value = getenv(variable);
        return value ? strtoull(value, NULL, 10) : fallback;
}

int main(int argc, char **argv)
{
        uint64_t mutations = number_from("FUZZ_MUTATIONS", fuzz_mutations);
        random_state += number_from("FUZZ_SEED", 0);

        snprintf(crash_path, sizeof(crash_path), "%s.crash", argv[0]);
        unlink(crash_path);
        if (__sanitizer_set_death_callback)
                __sanitizer_set_death_callback(save_current);
        else
                signal(SIGSEGV, on_signal);
        signal(SIGABRT, on_signal);
        signal(SIGALRM, on_signal);

        for (int i = 1; i < argc; i++)
                if (add(argv[i]) < 0)
                        return 2;
        if (corpus_count == 0) {
                fprintf(stderr, "usage: %s CORPUS…\nThere is nothing to begin with.\n", argv[0]);
                return 2;
        }
        collect_words();
        try_input(NULL, 0);
        for (size_t i = 0; i < corpus_count; i++)
                try_input(corpus[i].data, corpus[i].size);

        struct input input = {.data = malloc(MAX_SIZE)};
        FUZZ_ASSERT(input.data);
        for (uint64_t i = 0; i < mutations; i++) {
                const struct input *origin = &corpus[below(corpus_count)];
                input.size = origin->size < MAX_SIZE ? origin->size : MAX_SIZE;
                memcpy(input.data, origin->data, input.size);
                for (size_t steps = 1 + below(MAX_STEPS); steps > 0; steps--)
                        mutate(&input);
                try_input(input.data, input.size);
        }
        free(input.data);
        for (size_t i = 0; i < corpus_count; i++)
                free(corpus[i].data);
        free(corpus);
        free(words);
        printf("%zu inputs, %llu mutations\n", corpus_count, (unsigned long long)mutations);
        return 0;
}
