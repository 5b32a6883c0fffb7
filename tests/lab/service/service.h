/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for a DevOps MCP service: what its rooms tell each other. Static, nothing but libc. */
#ifndef LAB_SERVICE_H
#define LAB_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What the environment says; read once, before any thread. */
struct settings {
        const char *service; /* SERVICE: its name in Compose */
        int port;            /* PORT */
        bool everywhere;     /* LISTEN=everywhere: not on loopback alone */
        const char *pg_host; /* DB_HOST, DB_PORT, DB_NAME, DB_USER: `trust`, so no password */
        int pg_port;
        const char *pg_database, *pg_user;
        int pg_max; /* DB_MAX_CONNECTIONS: the size of the pool */
        const char *redis_host;
        int redis_port;
        bool debug;    /* LOG_LEVEL=debug */
        bool enhanced; /* SECURITY_MODE=enhanced */
        const char *version;
};
extern struct settings settings;

/* log.c: one logfmt line on stdout; `level` "debug" only with LOG_LEVEL=debug. */
void log_line(const char *level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* net.c: a blocking TCP connection with a timeout for each read and write; -1 when there is none. `host` is
 * an address of IPv4, or a name. */
int net_connect(const char *host, int port, int timeout_seconds);
bool net_write(int fd, const void *data, size_t length);
bool net_read(int fd, void *data, size_t length);
double now_seconds(void);

/* pg.c: the protocol 3.0, as much of it as one parameterised query needs. */
struct pg;
typedef void (*pg_row)(void *context, char *const *values, size_t count); /* NULL: SQL's NULL */
struct pg *pg_connect(int timeout_seconds);
struct pg *pg_close(struct pg *pg);
bool pg_query(struct pg *pg, const char *sql, const char *const *params, size_t count, pg_row row,
              void *context);
bool pg_send(struct pg *pg, const char *sql, const char *const *params, size_t count);

/* pool.c: at most DB_MAX_CONNECTIONS connections at once, kept for the next user. */
struct pg *pool_take(void); /* NULL: exhausted, or the server refused */
void pool_give(struct pg *pg, bool usable);
void pool_leak(int seconds); /* every connection there is left runs one query that long */
void pool_count(int *ret_open, int *ret_max);

/* redis.c: one command on a connection of its own. The reply as text, NULL when it is nil or failed. */
char *redis_command(bool *ret_ok, size_t argc, const char *const *argv);

/* fault.c: what was told to go wrong; a restart forgets it. */
struct fault {
        double slow_seconds; /* each request of the API takes that long */
        double fail_ratio;   /* that share of them is answered with 500 */
        bool unhealthy;      /* /health says so */
};
struct fault fault_now(void);
/* `query` as in the URL: kind=slow&seconds=3, kind=fail&ratio=0.5, leak, unhealthy, die, none. */
bool fault_set(const char *query);

/* stats.c: what /metrics shows. */
void stats_request(const char *method, int status, double seconds);
void stats_key(const char *name, const char *verdict);
void stats_write(FILE *page);

/* keys.c: who calls. Returns the status to answer with (200, 401, 503); `ret_name` is "" when unknown. */
int keys_check(const char *key, const char *address, char ret_name[static 128]);

/* clients.c: `service clients KEY HOST:PORT...` asks each for its contexts twice a second, for ever. */
int clients_run(const char *key, int count, char *const *addresses);
/* `service fault QUERY`, in the service's own container: as fault_set(). 0 when it was taken. */
int clients_fault(const char *query);

/* api.c: the requests. */
struct request {
        char method[8];
        char path[256], query[512];
        char key[256], address[64]; /* X-API-Key, X-Forwarded-For */
        char body[4096];
        size_t body_length;
};
struct answer {
        int status;
        const char *type;
        FILE *body;
};
void api_answer(const struct request *request, struct answer *answer);

/* http.c: serves for ever, one thread a connection. */
int http_serve(void);
/* The value of `name` in a query string, into `ret`; false when absent. */
bool http_parameter(const char *query, const char *name, char *ret, size_t size);

#endif
