/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets that a structure names, wherever its tables nest them. */
#include "lib/config/tree.h"

static void visit_field(const struct config_field *field, const char *at, config_secret_visitor *visit,
                        void *context)
{
        const struct config_list *list = (const void *)at;
        switch (field->type) {
        case CONFIG_SECRET:
                if (secret_is_set((const struct secret *)(const void *)at))
                        visit(context, field->name, (const struct secret *)(const void *)at);
                break;
        case CONFIG_OBJECT: config_visit_secrets(field->fields, at, visit, context); break;
        case CONFIG_LIST:
                for (size_t i = 0; i < list->count; i++)
                        config_visit_secrets(field->fields, (const char *)list->items + i * field->size,
                                             visit, context);
                break;
        default: break;
        }
}

void config_visit_secrets(const struct config_field *fields, const void *target, config_secret_visitor *visit,
                          void *context)
{
        for (; fields->name; fields++)
                visit_field(fields, (const char *)target + fields->offset, visit, context);
}

static void learn(void *context _unused_, const char *name _unused_, const struct secret *secret)
{
        _cleanup_secret_ struct text value = {0};
        (void)secret_read(secret, &value, NULL);
}

void config_learn_secrets(const struct config_field *fields, const void *target)
{
        config_visit_secrets(fields, target, learn, NULL);
}
