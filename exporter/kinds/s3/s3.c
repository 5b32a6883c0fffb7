/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind s3: what is under a prefix of an S3 bucket, for backups that were uploaded and must be there.
 *
 * Only ListObjectsV2 is asked, page by page; no object is read. S3 lists by names and not by times, so the
 * newest one is known at the end alone: a listing that is not read to its end tells nothing but that.
 */
#include <errno.h>
#include <fnmatch.h>

#include "exporter/check/check.h"
#include "exporter/kinds/s3/listing.h"
#include "exporter/kinds/shared/http_options.h"

#define PAGE_MAX 1000 /* keys of one answer, S3's own limit */

struct s3_config {
        char *bucket, *prefix, *region, *endpoint, *pattern;
        struct secret access_key, secret_key, session_token;
        struct tls_options tls;
        int64_t max_objects, min_size, min_count;
        nsec max_age;
};

static const struct config_field fields[] = {
        {"bucket", CONFIG_STRING, offsetof(struct s3_config, bucket),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "Its name, without s3://"},
        {"prefix", CONFIG_STRING, offsetof(struct s3_config, prefix), .fallback = "",
         .help = "What the keys begin with, as `backups/`; all of the bucket when not given"},
        {"pattern", CONFIG_STRING, offsetof(struct s3_config, pattern), .flags = CONFIG_NOT_EMPTY,
         .fallback = "*",
         .help = "Names of the objects to look at, which are their keys after the last /, with *, ? and "
                 "[abc]"},
        {"region", CONFIG_STRING, offsetof(struct s3_config, region), .flags = CONFIG_NOT_EMPTY,
         .help = "Where the bucket is, as `eu-central-1`; needed without an endpoint, else us-east-1 when "
                 "not "
                 "given"},
        {"endpoint", CONFIG_STRING, offsetof(struct s3_config, endpoint), .flags = CONFIG_NOT_EMPTY,
         .help = "http:// or https:// of a server that speaks S3, asked for /bucket; AWS when not given"},
        {"access_key", CONFIG_SECRET, offsetof(struct s3_config, access_key),
         .help = "The id of the key, which must be allowed s3:ListBucket; read anew for each request, as the "
                 "other two"},
        {"secret_key", CONFIG_SECRET, offsetof(struct s3_config, secret_key),
         .help = "The key itself; requests are signed with it, it is never sent"},
        {"session_token", CONFIG_SECRET, offsetof(struct s3_config, session_token),
         .help = "What belongs to a temporary key"},
        {"tls_config", CONFIG_OBJECT, offsetof(struct s3_config, tls), .fields = tls_option_fields,
         .help = "As in Prometheus"},
        {"max_objects", CONFIG_INT, offsetof(struct s3_config, max_objects), .flags = CONFIG_POSITIVE,
         .fallback = "10000",
         .help = "Fails when more keys have the prefix: a thousand of them are a request"},
        {"max_age", CONFIG_DURATION, offsetof(struct s3_config, max_age), .fallback = "0s",
         .help = "Fails when the newest object is older, or dated as far ahead, or there is none; 0s: never"},
        {"min_size", CONFIG_SIZE, offsetof(struct s3_config, min_size), .fallback = "0",
         .help = "Fails when the newest object is smaller, or there is none"},
        {"min_count", CONFIG_INT, offsetof(struct s3_config, min_count), .fallback = "0",
         .help = "Fails when there are fewer objects"},
        {0},
};

#define FAMILIES(X)                                                                                    \
        X(objects, GAUGE, "runbook_s3_objects", NULL, "Objects under the prefix.")                     \
        X(size_bytes, GAUGE, "runbook_s3_size_bytes", "bytes", "The sizes of these objects together.") \
        X(empty_objects, GAUGE, "runbook_s3_empty_objects", NULL, "Objects of these that are empty.")  \
        X(newest_timestamp, GAUGE, "runbook_s3_newest_object_timestamp_seconds", "seconds",            \
          "When the newest of them was written.")                                                      \
        X(oldest_timestamp, GAUGE, "runbook_s3_oldest_object_timestamp_seconds", "seconds",            \
          "When the oldest of them was written.")                                                      \
        X(newest_bytes, GAUGE, "runbook_s3_newest_object_bytes", "bytes",                              \
          "The size of the newest object; of several from the same second, the smallest.")             \
        X(truncated, GAUGE, "runbook_s3_truncated", NULL,                                              \
          "Whether more than max_objects have the prefix, so that nothing else is told.")              \
        X(max_age_seconds, GAUGE, "runbook_s3_max_age_seconds", "seconds",                             \
          "The age of the newest object from which on the check fails, when there is one.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

struct s3_state {
        const struct s3_config *config;
        struct http_client *client;
        const char *region;
        char *url; /* of the bucket */
};

static void *s3_close(void *state)
{
        struct s3_state *s3 = state;
        if (!s3)
                return NULL;
        http_client_free(s3->client);
        free(s3->url);
        free(s3);
        return NULL;
}
DEFINE_CLEANUP(void *, s3_close);

/* A bucket and a region are parts of a host name and of what is signed. */
static bool check_word(const char *word, const char *letters, size_t most, struct config_node *node,
                       const char *key)
{
        if (!word || (strspn(word, letters) == strlen(word) && strlen(word) <= most))
                return true;
        config_complain(node, key, "\"%s\" is not the name of a %s", word, key);
        return false;
}

static bool check_endpoint(const char *endpoint, struct config_node *node)
{
        const char *rest = string_starts(endpoint, "http://")    ? endpoint + 7
                           : string_starts(endpoint, "https://") ? endpoint + 8
                                                                 : "";
        if (*rest && *rest != '/' && !strpbrk(rest, " \t\r\n@?#"))
                return true;
        config_complain(node, "endpoint",
                        "write http:// or https://, a host and perhaps a port; keys stand in access_key_file "
                        "and secret_key_file");
        return false;
}

static bool check_config(const struct s3_config *config, struct config_node *node)
{
        static const char in_buckets[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
        static const char in_regions[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
        bool fine = check_word(config->bucket, in_buckets, 255, node, "bucket");
        fine &= check_word(config->region, in_regions, 64, node, "region");
        if (!config->endpoint && !config->region) {
                config_complain(node, NULL, "'region' is missing: where the bucket is, as eu-central-1");
                fine = false;
        }
        if (config->endpoint)
                fine &= check_endpoint(config->endpoint, node);
        if (!secret_is_set(&config->access_key) || !secret_is_set(&config->secret_key)) {
                config_complain(node, NULL, "access_key_file and secret_key_file are needed");
                fine = false;
        }
        fine &= tls_options_check(&config->tls, node);
        if (strchr(config->pattern, '/')) {
                config_complain(node, "pattern", "\"%s\": a pattern is for names, without \"/\"",
                                config->pattern);
                fine = false;
        }
        if (config->min_size < 0 || config->min_count < 0) {
                config_complain(node, config->min_size < 0 ? "min_size" : "min_count",
                                "must not be negative");
                fine = false;
        }
        return fine;
}

/*
 * The bucket is a part of the path, or of the host at AWS, where paths are deprecated. A name with a dot has
 * no certificate as a host: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
static char *bucket_url(const struct s3_config *config)
{
        const char *endpoint = config->endpoint, *bucket = config->bucket;
        if (endpoint) {
                size_t length = strlen(endpoint);
                while (endpoint[length - 1] == '/')
                        length--;
                return text_format("%.*s/%s", (int)length, endpoint, bucket);
        }
        const char *china = string_starts(config->region, "cn-") ? ".cn" : "";
        return strchr(bucket, '.')
                       ? text_format("https://s3.%s.amazonaws.com%s/%s", config->region, china, bucket)
                       : text_format("https://%s.s3.%s.amazonaws.com%s/", bucket, config->region, china);
}

static int s3_open(const struct check *check, struct config_node *node, void **ret_state, struct error *error)
{
        const struct s3_config *config = check->config;
        struct s3_state *s3 = NULL;
        _cleanup_(s3_close_p) void *owned = NULL;
        if (!check_config(config, node))
                return -EINVAL;
        owned = s3 = calloc(1, sizeof(*s3));
        if (!s3)
                return error_oom(error);
        s3->config = config;
        s3->region = config->region ? config->region : "us-east-1";
        s3->client = http_client_new();
        s3->url = bucket_url(config);
        if (!s3->client || !s3->url)
                return error_oom(error);
        *ret_state = TAKE_PTR(owned);
        return 0;
}

/* What all pages together say. */
struct survey {
        const struct s3_config *config;
        uint64_t listed; /* keys, also those that are not looked at */
        uint64_t count, empty;
        double bytes;
        nsec newest, oldest;
        uint64_t newest_size;
};

static void count_object(void *context, const struct s3_object *object)
{
        struct survey *survey = context;
        const char *slash = strrchr(object->key, '/'), *name = slash ? slash + 1 : object->key;
        survey->listed++;
        /* Consoles make "directories" by empty objects whose keys end in a slash. */
        if (!*name || fnmatch(survey->config->pattern, name, 0) != 0)
                return;
        if (survey->count == 0 || object->modified < survey->oldest)
                survey->oldest = object->modified;
        if (survey->count == 0 || object->modified > survey->newest ||
            (object->modified == survey->newest && object->size < survey->newest_size)) {
                survey->newest = object->modified;
                survey->newest_size = object->size;
        }
        survey->count++;
        survey->empty += object->size == 0;
        survey->bytes += (double)object->size;
}

/* Sorted by names, as it is signed. */
static char *page_url(const struct s3_state *s3, const char *next, uint64_t keys)
{
        struct text url = {0};
        text_printf(&url, "%s?", s3->url);
        if (*next) {
                text_puts(&url, "continuation-token=");
                text_put_escaped(&url, next);
                text_putc(&url, '&');
        }
        text_printf(&url, "list-type=2&max-keys=%llu&prefix=", (unsigned long long)keys);
        text_put_escaped(&url, s3->config->prefix);
        return text_take(&url);
}

/* What S3's codes mean to an operator: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
static const struct {
        const char *code;
        int result;
        const char *meaning;
} meanings[] = {
        {"AccessDenied", EACCES, "the key is not allowed s3:ListBucket there"},
        {"AllAccessDisabled", EACCES, "all access to the bucket is disabled"},
        {"InvalidAccessKeyId", EACCES, "the access key is not known"},
        {"SignatureDoesNotMatch", EACCES, "the secret key does not belong to the access key"},
        {"ExpiredToken", EACCES, "the session token has expired"},
        {"InvalidToken", EACCES, "the session token is not valid"},
        {"RequestTimeTooSkewed", EACCES, "the clock of this machine is wrong"},
        {"NoSuchBucket", ENOENT, "there is no such bucket"},
        {"SlowDown", EBUSY, "too many requests"},
};

/* The other region that the bucket is in: as the answer's body or head says it, or what to ask instead. */
static void put_elsewhere(const struct http_response *response, const struct s3_answer *answer,
                          struct text *text)
{
        _cleanup_text_ struct text region = {0};
        if (answer->region.length > 0)
                text_puts(&region, text_string(&answer->region));
        else
                http_response_header(response, "x-amz-bucket-region", &region);
        if (region.length > 0)
                text_printf(text, ": the bucket is in the region %.64s", text_string(&region));
        else if (answer->endpoint.length > 0)
                text_printf(text, ": the bucket must be asked at %.255s", text_string(&answer->endpoint));
}

/* S3's own error as a sentence. Its message is left out: nobody knows what a server quotes in it. */
static int tell_error(const struct s3_state *s3, const struct http_response *response,
                      const struct s3_answer *answer, struct error *error)
{
        const char *code = text_string(&answer->code);
        _cleanup_text_ struct text elsewhere = {0};
        for (size_t i = 0; i < N_ELEMENTS(meanings); i++)
                if (strcmp(code, meanings[i].code) == 0)
                        return error_set(error, meanings[i].result, "bucket %s: %s (%s)", s3->config->bucket,
                                         meanings[i].meaning, code);
        put_elsewhere(response, answer, &elsewhere);
        return error_set(error, EPROTO, "bucket %s: S3 answered %ld %.64s%s", s3->config->bucket,
                         response->status, *code ? code : "without a reason",
                         elsewhere.length > 0 ? text_string(&elsewhere) : "");
}

static int feed_listing(void *context, const char *data, size_t length)
{
        /* What is wrong with it is told when the status is known, unless there is no end of it. */
        return s3_listing_feed(context, data, length, NULL) == -EMSGSIZE ? -EMSGSIZE : 0;
}

/* One page; `next` is where it begins and then where the following one does, or empty after the last. */
static int read_page(struct s3_state *s3, struct deadline deadline, uint64_t keys, struct survey *survey,
                     struct text *next, struct error *error)
{
        const struct s3_config *config = s3->config;
        _cleanup_(s3_listing_free_p) struct s3_listing *listing = s3_listing_new(count_object, survey);
        _cleanup_free_ char *url = page_url(s3, text_string(next), keys);
        const struct http_aws_signing signing = {.region = s3->region,
                                                 .service = "s3",
                                                 .access_key = &config->access_key,
                                                 .secret_key = &config->secret_key,
                                                 .session_token = &config->session_token};
        const struct http_request request = {.url = url,
                                             .deadline = deadline,
                                             .aws = &signing,
                                             .ca_file = config->tls.ca_file,
                                             .cert_file = config->tls.cert_file,
                                             .key_file = config->tls.key_file,
                                             .server_name = config->tls.server_name,
                                             .insecure = config->tls.insecure_skip_verify,
                                             .on_data = feed_listing,
                                             .context = listing};
        _cleanup_http_response_ struct http_response response = {0};
        const struct s3_answer *answer;
        if (!listing || !url)
                return error_oom(error);
        int r = http_fetch(s3->client, &request, &response, error);
        if (r < 0 && r != -EMSGSIZE)
                return r;
        bool whole = r >= 0;
        r = s3_listing_end(listing, &answer, error);
        if (!whole)
                return error_prefix(error, r < 0 ? r : -EMSGSIZE, "%s", s3->url);
        if (answer->is_error && r == 0)
                return tell_error(s3, &response, answer, error);
        if (response.status != 200)
                return error_set(error, EPROTO, "%s answered %ld, and not as S3 does", s3->url,
                                 response.status);
        if (r < 0)
                return error_prefix(error, r, "%s", s3->url);
        if (answer->truncated &&
            (answer->next.length == 0 || string_equal(text_string(&answer->next), text_string(next))))
                return error_set(error, EPROTO, "%s: the listing has more, but does not go on", s3->url);
        text_clear(next);
        if (answer->truncated)
                text_puts(next, text_string(&answer->next));
        return text_error(next) < 0 ? error_oom(error) : 0;
}

static int read_pages(struct s3_state *s3, struct deadline deadline, struct survey *survey,
                      struct sample_sink *sink, struct error *error)
{
        const uint64_t most = (uint64_t)s3->config->max_objects;
        _cleanup_text_ struct text next = {0};
        do {
                uint64_t left = most - survey->listed;
                int r = read_page(s3, deadline, left < PAGE_MAX ? left : PAGE_MAX, survey, &next, error);
                if (r < 0)
                        return r;
        } while (next.length > 0 && survey->listed < most);

        bool more = next.length > 0 || survey->listed > most;
        SAMPLE_BARE(sink, &truncated, more);
        return more ? error_set(error, E2BIG,
                                "bucket %s: more than %lld keys begin with \"%s\": give a longer prefix, or "
                                "more max_objects",
                                s3->config->bucket, (long long)most, s3->config->prefix)
                    : 0;
}

static void add_survey(const struct survey *survey, struct sample_sink *sink)
{
        SAMPLE_BARE(sink, &objects, (double)survey->count);
        SAMPLE_BARE(sink, &size_bytes, survey->bytes);
        SAMPLE_BARE(sink, &empty_objects, (double)survey->empty);
        if (survey->config->max_age > 0)
                SAMPLE_BARE(sink, &max_age_seconds, nsec_to_seconds(survey->config->max_age));
        if (survey->count == 0)
                return;
        SAMPLE_BARE(sink, &newest_timestamp, nsec_to_seconds(survey->newest));
        SAMPLE_BARE(sink, &oldest_timestamp, nsec_to_seconds(survey->oldest));
        SAMPLE_BARE(sink, &newest_bytes, (double)survey->newest_size);
}

/* What the check demands, in the order of how much is wrong. */
static int demand_objects(const struct survey *survey, struct error *error)
{
        const struct s3_config *config = survey->config;
        char age[DURATION_TEXT_MAX];
        if (survey->count == 0 && (config->max_age > 0 || config->min_size > 0 || config->min_count > 0))
                return error_set(error, ENOENT, "bucket %s: there is no object %s%s", config->bucket,
                                 config->prefix, config->pattern);
        if (survey->count < (uint64_t)config->min_count)
                return error_set(error, ENOENT, "bucket %s: there are %llu objects, %lld are demanded",
                                 config->bucket, (unsigned long long)survey->count,
                                 (long long)config->min_count);
        if (config->max_age > 0 && clock_wall() - survey->newest > config->max_age)
                return error_set(error, ESTALE, "bucket %s: the newest object is older than %s",
                                 config->bucket, duration_format(config->max_age, age));
        /* A clock that went wrong once would make it fresh for years. */
        if (config->max_age > 0 && survey->newest - clock_wall() > config->max_age)
                return error_set(error, ESTALE, "bucket %s: the newest object is dated more than %s ahead",
                                 config->bucket, duration_format(config->max_age, age));
        if (survey->newest_size < (uint64_t)config->min_size)
                return error_set(
                        error, ENODATA, "bucket %s: the newest object has %llu bytes, %lld are demanded",
                        config->bucket, (unsigned long long)survey->newest_size, (long long)config->min_size);
        return 0;
}

static int s3_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct s3_state *s3 = state;
        struct survey survey = {.config = s3->config};
        int r = read_pages(s3, deadline, &survey, sink, error);
        if (r < 0)
                return r;
        add_survey(&survey, sink);
        return error_failed(error, demand_objects(&survey, error));
}

const struct check_kind check_kind_s3 = {
        .name = "s3",
        .help = "How many objects there are under a prefix of an S3 bucket, how large and how old.",
        .fields = fields,
        .config_size = sizeof(struct s3_config),
        .target_key = "endpoint",
        .families = families,
        .open = s3_open,
        .run = s3_run,
        .close = s3_close,
        .indirect = true,
};
