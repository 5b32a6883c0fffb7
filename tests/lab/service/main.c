/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stand-in's start: settings, signals, the worker's loop. `service healthcheck` is Docker's health check;
 * `service copy` says what it is told, for a log of exactly the bytes that a test wants; `service clients`
 * asks other services, and `service fault` breaks the one whose container it is started in.
 */
#include "service.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct settings settings;

static const char *text_of(const char *name, const char *otherwise)
{
        const char *value = getenv(name);
        return value && *value ? value : otherwise;
}

static int number_of(const char *name, int otherwise)
{
        return atoi(text_of(name, "")) > 0 ? atoi(getenv(name)) : otherwise;
}

static void settings_read(void)
{
        settings = (struct settings){
                .service = text_of("SERVICE", "mcp-server"),
                .port = number_of("PORT", 8080),
                .everywhere = strcmp(text_of("LISTEN", "loopback"), "everywhere") == 0,
                .pg_host = text_of("DB_HOST", "127.0.0.1"),
                .pg_port = number_of("DB_PORT", 5432),
                .pg_database = text_of("DB_NAME", "mcp"),
                .pg_user = text_of("DB_USER", "mcp_user"),
                .pg_max = number_of("DB_MAX_CONNECTIONS", 20),
                .redis_host = text_of("REDIS_HOST", "127.0.0.1"),
                .redis_port = number_of("REDIS_PORT", 6379),
                .debug = strcmp(text_of("LOG_LEVEL", "info"), "debug") == 0,
                .enhanced = strcmp(text_of("SECURITY_MODE", "normal"), "enhanced") == 0,
                .version = text_of("VERSION", "1.0.0"),
        };
}

void log_line(const char *level, const char *format, ...)
{
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        if (strcmp(level, "debug") == 0 && !settings.debug)
                return;
        va_list args;
        va_start(args, format);
        pthread_mutex_lock(&lock);
        printf("level=%s service=%s ", level, settings.service);
        vprintf(format, args);
        putchar('\n');
        fflush(stdout);
        pthread_mutex_unlock(&lock);
        va_end(args);
}

/* Asks the running service's /health as Docker does: 0 when it answers 200. */
static int healthcheck(void)
{
        static const char question[] = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        char answer[13] = {0};
        int fd = net_connect("127.0.0.1", settings.port, 2);
        if (fd < 0 || !net_write(fd, question, sizeof(question) - 1) ||
            !net_read(fd, answer, sizeof(answer) - 1))
                return 1;
        return strcmp(answer, "HTTP/1.1 200") == 0 ? 0 : 1;
}

/* Takes memory until the container's limit has it killed: for tests of what is seen of that. */
static int hog(void)
{
        enum { PIECE = 1 << 20, LIMIT = 512 };
        for (int i = 0; i < LIMIT; i++) {
                char *memory = malloc(PIECE);
                if (memory)
                        memset(memory, 1, PIECE);
        }
        return 0;
}

/* The worker embeds what was written: a vector for each context that has none. */
static void *work(void *unused)
{
        (void)unused;
        for (;;) {
                struct pg *pg = pool_take();
                bool done = pg &&
                            pg_query(pg,
                                     "INSERT INTO vector_embeddings (context_id, embedding) "
                                     "SELECT id, ARRAY[length(body), 1.0] FROM contexts c WHERE NOT EXISTS "
                                     "(SELECT FROM vector_embeddings v WHERE v.context_id = c.id) LIMIT 100",
                                     NULL, 0, NULL, NULL);
                if (pg)
                        pool_give(pg, done);
                log_line(done ? "debug" : "error", "msg=\"embedded\" ok=%d", done);
                sleep(1);
        }
        return NULL;
}

/* What comes in goes to stdout, to the end of it. */
static int copy(void)
{
        char bytes[65536];
        ssize_t got;
        while ((got = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
                if (fwrite(bytes, (size_t)got, 1, stdout) != 1 || fflush(stdout) != 0)
                        return 1;
        return got < 0;
}

static void end(int number)
{
        (void)number;
        _exit(0);
}

int main(int argc, char **argv)
{
        settings_read();
        if (argc == 2 && strcmp(argv[1], "healthcheck") == 0)
                return healthcheck();
        if (argc == 2 && strcmp(argv[1], "hog") == 0)
                return hog();

        if (argc == 3 && strcmp(argv[1], "fault") == 0)
                return clients_fault(argv[2]);

        signal(SIGPIPE, SIG_IGN);
        signal(SIGTERM, end);
        signal(SIGINT, end);
        if (argc == 2 && strcmp(argv[1], "copy") == 0)
                return copy();
        if (argc > 3 && strcmp(argv[1], "clients") == 0)
                return clients_run(argv[2], argc - 3, argv + 3);
        srand((unsigned)time(NULL) ^ (unsigned)getpid());
        log_line("info",
                 "msg=\"starting\" version=%s port=%d db_max_connections=%d log_level=%s security_mode=%s",
                 settings.version, settings.port, settings.pg_max, settings.debug ? "debug" : "info",
                 settings.enhanced ? "enhanced" : "normal");

        pthread_t worker;
        if (strcmp(settings.service, "worker") == 0 && pthread_create(&worker, NULL, work, NULL) != 0)
                return 1;
        return http_serve();
}
