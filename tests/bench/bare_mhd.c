/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare libmicrohttpd server: the peer that the exporter is measured against.
 *
 *     bare_mhd FILE PORT
 *
 * serves FILE's bytes for every request on 127.0.0.1:PORT (0: any; the port is printed) until its standard
 * input ends or a signal ends it. It does what libmicrohttpd can do at its fastest with one thread, and
 * nothing else: epoll, one response made once, no routing, no limits.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *length,
                                  void **request)
{
        (void)url, (void)method, (void)version, (void)data;
        /* The first call is for the head of the request; an answer to that would end the connection. */
        if (!*request) {
                *request = cls;
                return MHD_YES;
        }
        if (*length > 0) {
                *length = 0;
                return MHD_YES;
        }
        return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

static char *read_file(const char *path, size_t *ret_length)
{
        struct stat status;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return NULL;
        size_t length = (size_t)status.st_size;
        char *data = malloc(length + 1);
        if (data && read(fd, data, length) != (ssize_t)length) {
                free(data);
                data = NULL;
        }
        close(fd);
        *ret_length = length;
        return data;
}

int main(int argc, char **argv)
{
        if (argc != 3) {
                fprintf(stderr, "usage: bare_mhd FILE PORT\n");
                return 2;
        }
        size_t length = 0;
        char *data = read_file(argv[1], &length);
        if (!data) {
                perror(argv[1]);
                return 1;
        }
        struct MHD_Response *response = MHD_create_response_from_buffer(length, data, MHD_RESPMEM_PERSISTENT);
        if (!response)
                return 1;
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; version=0.0.4");

        struct sockaddr_in address = {.sin_family = AF_INET};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
        struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL,
                                                     NULL, on_request, response, MHD_OPTION_SOCK_ADDR,
                                                     (const struct sockaddr *)&address, MHD_OPTION_END);
        const union MHD_DaemonInfo *info =
                daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
        if (!info) {
                fprintf(stderr, "bare_mhd: cannot listen on port %s\n", argv[2]);
                return 1;
        }
        printf("%u\n", (unsigned)info->port);
        fflush(stdout);
        while (getchar() != EOF) {
        }
        MHD_stop_daemon(daemon);
        MHD_destroy_response(response);
        free(data);
        return 0;
}
