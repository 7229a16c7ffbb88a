/* A library that notes what it sees in $HOME/seen, as the scripts of the other plugins do. */
#include "zaf_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ZAF_PLUGIN_NOTE;

static const char description_text[] = DESCRIPTION;

static FILE *seen(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s/seen", getenv("HOME"));
    return fopen(path, "a");
}

static int32_t describe(struct zaf_buffer *description) {
    description->data = (uint8_t *)description_text;
    description->length = sizeof description_text - 1;
    return ZAF_OK;
}

/* What it is given is an object: what it is comes before its other fields. */
static int32_t start(const struct zaf_host_v1 *host, struct zaf_bytes start, void **instance, struct zaf_buffer *error) {
    FILE *file = seen();
    (void)error;
    fprintf(file, "{\"type\":\"start\",%.*s\n", (int)start.length - 1, (const char *)start.data + 1);
    fclose(file);
    *instance = (void *)host;
    return ZAF_OK;
}

static int32_t message(void *instance, const struct zaf_message *message, struct zaf_buffer *answer) {
    FILE *file = seen();
    (void)instance;
    (void)answer;
    fprintf(file, "{\"type\":\"event\",\"message\":\"%.*s\"}\n", (int)message->name.length, (const char *)message->name.data);
    fclose(file);
    return ZAF_OK;
}

static int32_t stop(void *instance, struct zaf_buffer *error) {
    FILE *file = seen();
    (void)instance;
    (void)error;
    fprintf(file, "ended %s\n", NAME);
    fclose(file);
    return ZAF_OK;
}

const struct zaf_plugin_v1 zaf_plugin_v1 = {
    .abi = ZAF_ABI,
    .size = sizeof(struct zaf_plugin_v1),
    .describe = describe,
    .start = start,
    .message = message,
    .stop = stop,
};
