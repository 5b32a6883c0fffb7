/* SPDX-License-Identifier: Apache-2.0 */
/* The parser is expat; elements are known by their path, so that the same name elsewhere means nothing. */
#include "exporter/kinds/s3/listing.h"

#include <errno.h>
#include <expat.h>
#include <inttypes.h>

#define DEPTH_MAX 16
#define VALUE_MAX ((size_t)4 << 10) /* a key has at most 1024 bytes, thrice as many when encoded */
#define ANSWER_MAX ((size_t)8 << 20)

struct s3_listing {
        XML_Parser parser;
        void (*on_object)(void *context, const struct s3_object *object);
        void *context;
        struct s3_answer answer;
        struct text path;  /* "/ListBucketResult/Contents/Key" */
        struct text value; /* what the element says, when it is one of those below */
        const struct element *element;
        struct text key; /* of the object that is being read */
        struct s3_object object;
        bool has_size, has_modified;
        unsigned depth;
        size_t taken;
        int result;
        struct error error;
};

/* The first one stays, and ends the parsing. */
static int fail_listing(struct s3_listing *listing, int code, const char *what)
{
        if (listing->result == 0) {
                listing->result = error_set(&listing->error, code, "%s", what);
                XML_StopParser(listing->parser, XML_FALSE);
        }
        return listing->result;
}

static bool has_memory(struct s3_listing *listing, const struct text *text)
{
        return text_error(text) == 0 || fail_listing(listing, ENOMEM, "out of memory") == 0;
}

static void take_size(struct s3_listing *listing, const char *word)
{
        char *end;
        errno = 0;
        listing->object.size = strtoull(word, &end, 10);
        if (*word < '0' || *word > '9' || *end || errno != 0)
                fail_listing(listing, EBADMSG, "an object's size is not a number");
        listing->has_size = true;
}

static void take_modified(struct s3_listing *listing, const char *word)
{
        if (time_parse(word, &listing->object.modified, NULL) < 0)
                fail_listing(listing, EBADMSG, "an object's time is not a time");
        listing->has_modified = true;
}

static void take_truncated(struct s3_listing *listing, const char *word)
{
        listing->answer.truncated = strcmp(word, "true") == 0;
}

/* What is read of an answer: into a text of the listing, or by a function. */
#define OBJECT "/ListBucketResult/Contents"
static const struct element {
        const char *path;
        size_t offset;
        void (*take)(struct s3_listing *listing, const char *word);
} elements[] = {
        {OBJECT "/Key", offsetof(struct s3_listing, key), NULL},
        {OBJECT "/LastModified", 0, take_modified},
        {OBJECT "/Size", 0, take_size},
        {"/ListBucketResult/IsTruncated", 0, take_truncated},
        {"/ListBucketResult/NextContinuationToken", offsetof(struct s3_listing, answer.next), NULL},
        {"/Error/Code", offsetof(struct s3_listing, answer.code), NULL},
        {"/Error/Region", offsetof(struct s3_listing, answer.region), NULL},
        {"/Error/Endpoint", offsetof(struct s3_listing, answer.endpoint), NULL},
};

static void take_element(struct s3_listing *listing, const struct element *element)
{
        if (element->take) {
                element->take(listing, text_string(&listing->value));
                return;
        }
        struct text *to = (struct text *)((char *)listing + element->offset);
        text_clear(to);
        text_puts(to, text_string(&listing->value));
        has_memory(listing, to);
}

static void begin_object(struct s3_listing *listing)
{
        text_clear(&listing->key);
        listing->has_size = listing->has_modified = false;
}

static void end_object(struct s3_listing *listing)
{
        if (listing->key.length == 0 || !listing->has_size || !listing->has_modified) {
                fail_listing(listing, EBADMSG, "an object has no key, size or time");
                return;
        }
        listing->object.key = text_string(&listing->key);
        listing->on_object(listing->context, &listing->object);
}

static void take_root(struct s3_listing *listing)
{
        const char *path = text_string(&listing->path);
        listing->answer.is_listing = strcmp(path, "/ListBucketResult") == 0;
        listing->answer.is_error = strcmp(path, "/Error") == 0;
        if (!listing->answer.is_listing && !listing->answer.is_error)
                fail_listing(listing, EBADMSG, "the answer is XML, but not S3's");
}

/* Without the prefix of a name space. */
static const char *local_name(const char *name)
{
        const char *colon = strrchr(name, ':');
        return colon ? colon + 1 : name;
}

/* Expat may still call these after it was stopped. */
static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes _unused_)
{
        struct s3_listing *listing = context;
        if (listing->result < 0)
                return;
        if (++listing->depth > DEPTH_MAX || strlen(name) > VALUE_MAX) {
                fail_listing(listing, EBADMSG, "the answer is XML, but not S3's");
                return;
        }
        text_printf(&listing->path, "/%s", local_name(name));
        text_clear(&listing->value);
        listing->element = NULL;
        if (!has_memory(listing, &listing->path))
                return;
        if (listing->depth == 1)
                take_root(listing);
        if (strcmp(text_string(&listing->path), OBJECT) == 0)
                begin_object(listing);
        for (size_t i = 0; i < N_ELEMENTS(elements); i++)
                if (strcmp(text_string(&listing->path), elements[i].path) == 0)
                        listing->element = &elements[i];
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
        struct s3_listing *listing = context;
        if (listing->result < 0)
                return;
        if (listing->element)
                take_element(listing, listing->element);
        listing->element = NULL;
        if (listing->result == 0 && strcmp(text_string(&listing->path), OBJECT) == 0)
                end_object(listing);
        listing->depth--;
        listing->path.length -= strlen(local_name(name)) + 1;
        listing->path.data[listing->path.length] = '\0';
}

static void XMLCALL on_text(void *context, const XML_Char *data, int length)
{
        struct s3_listing *listing = context;
        if (listing->result < 0 || !listing->element)
                return;
        if (listing->value.length + (size_t)length > VALUE_MAX) {
                fail_listing(listing, EMSGSIZE, "a value in S3's answer is too long");
                return;
        }
        text_append(&listing->value, data, (size_t)length);
        has_memory(listing, &listing->value);
}

static void XMLCALL on_doctype(void *context, const XML_Char *name _unused_, const XML_Char *system _unused_,
                               const XML_Char *public _unused_, int internal _unused_)
{
        fail_listing(context, EBADMSG, "the answer has a document type, which S3's have not");
}

struct s3_listing *s3_listing_new(void (*on_object)(void *context, const struct s3_object *object),
                                  void *context)
{
        struct s3_listing *listing = calloc(1, sizeof(*listing));
        if (!listing)
                return NULL;
        listing->on_object = on_object;
        listing->context = context;
        listing->parser = XML_ParserCreate(NULL);
        if (!listing->parser)
                return s3_listing_free(listing);
        XML_SetUserData(listing->parser, listing);
        XML_SetElementHandler(listing->parser, on_start, on_end);
        XML_SetCharacterDataHandler(listing->parser, on_text);
        XML_SetStartDoctypeDeclHandler(listing->parser, on_doctype);
        return listing;
}

struct s3_listing *s3_listing_free(struct s3_listing *listing)
{
        if (!listing)
                return NULL;
        if (listing->parser)
                XML_ParserFree(listing->parser);
        text_free(&listing->answer.next);
        text_free(&listing->answer.code);
        text_free(&listing->answer.region);
        text_free(&listing->answer.endpoint);
        text_free(&listing->path);
        text_free(&listing->value);
        text_free(&listing->key);
        error_clear(&listing->error);
        free(listing);
        return NULL;
}

/* expat 2.9 has another name for it, and deprecates the one before. */
static uint64_t line_of(XML_Parser parser)
{
#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 9)
        return XML_GetCurrentLineNumber64(parser);
#else
        return XML_GetCurrentLineNumber(parser);
#endif
}

static int parse_piece(struct s3_listing *listing, const char *data, size_t length, bool last)
{
        if (listing->result < 0)
                return listing->result;
        if (XML_Parse(listing->parser, data, (int)length, last) == XML_STATUS_OK)
                return 0;
        enum XML_Error code = XML_GetErrorCode(listing->parser);
        if (listing->result == 0 && code == XML_ERROR_NO_MEMORY)
                return fail_listing(listing, ENOMEM, "out of memory");
        if (listing->result == 0) {
                listing->result =
                        error_set(&listing->error, EBADMSG, "the answer is not XML: line %" PRIu64 ": %s",
                                  line_of(listing->parser), XML_ErrorString(code));
        }
        return listing->result;
}

static int tell_failure(const struct s3_listing *listing, struct error *error)
{
        return listing->result < 0 ? error_set(error, -listing->result, "%s", error_text(&listing->error))
                                   : 0;
}

int s3_listing_feed(struct s3_listing *listing, const char *data, size_t length, struct error *error)
{
        if (length > ANSWER_MAX - listing->taken) {
                fail_listing(listing, EMSGSIZE, "S3's answer is too long");
                return error_set(error, EMSGSIZE, "S3's answer is too long");
        }
        listing->taken += length;
        parse_piece(listing, data, length, false);
        return tell_failure(listing, error);
}

int s3_listing_end(struct s3_listing *listing, const struct s3_answer **ret, struct error *error)
{
        parse_piece(listing, "", 0, true);
        *ret = &listing->answer;
        return tell_failure(listing, error);
}
