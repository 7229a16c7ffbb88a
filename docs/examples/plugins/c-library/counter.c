/*
 * Counts the test cases that have finished, and says how many when it is asked.
 *
 *     cc -shared -fPIC -O2 -I ../include -o counter.so counter.c
 */
#include "zaf_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ZAF_PLUGIN_NOTE;

struct counter {
    const struct zaf_host_v1 *host;
    unsigned long finished;
};

static void free_bytes(uint8_t *data, size_t length) {
    (void)length;
    free(data);
}

/* Gives the host a copy of a text. */
static int32_t give(struct zaf_buffer *buffer, const char *text, int32_t code) {
    size_t length = strlen(text);
    buffer->data = malloc(length);
    if (buffer->data == NULL) {
        return ZAF_REFUSED;
    }
    memcpy(buffer->data, text, length);
    buffer->length = length;
    buffer->free = free_bytes;
    return code;
}

static struct zaf_bytes text(const char *text) {
    return (struct zaf_bytes){(const uint8_t *)text, strlen(text)};
}

static int is(struct zaf_bytes bytes, const char *text) {
    return bytes.length == strlen(text) && memcmp(bytes.data, text, bytes.length) == 0;
}

static int32_t describe(struct zaf_buffer *description) {
    return give(description,
        "{\"protocol\": 1, \"name\": \"counter\", \"version\": \"1.0\","
        " \"description\": \"Counts the test cases that have finished.\","
        " \"kind\": {\"command\": {\"extends\": [\"run\"]}},"
        " \"endpoints\": [{\"name\": \"counter\", \"messages\": ["
        "   {\"name\": \"COUNT\", \"kind\": \"request\", \"description\": \"How many cases have finished?\"},"
        "   {\"name\": \"HUNDREDTH\", \"kind\": \"event\", \"description\": \"A hundred cases more have finished.\"}]}],"
        " \"dispatchers\": [{\"name\": \"counter\", \"messages\": [\"TEST_CASE_FINISHED\", \"COUNT\"], \"threads\": \"callback\"}],"
        " \"samples\": {\"TEST_CASE_FINISHED\": {}, \"COUNT\": null}}",
        ZAF_OK);
}

static int32_t start(const struct zaf_host_v1 *host, struct zaf_bytes start, void **instance, struct zaf_buffer *error) {
    struct counter *counter = calloc(1, sizeof *counter);
    (void)start;
    if (counter == NULL) {
        return give(error, "no memory", ZAF_REFUSED);
    }
    counter->host = host;
    *instance = counter;
    return ZAF_OK;
}

static int32_t message(void *instance, const struct zaf_message *message, struct zaf_buffer *answer) {
    struct counter *counter = instance;
    if (message->kind == ZAF_REQUEST && is(message->name, "COUNT")) {
        char number[32];
        snprintf(number, sizeof number, "%lu", counter->finished);
        return give(answer, number, ZAF_OK);
    }
    if (message->kind != ZAF_EVENT || !is(message->name, "TEST_CASE_FINISHED")) {
        return give(answer, "this message is not known", ZAF_REFUSED);
    }
    counter->finished += 1;
    if (counter->finished % 100 == 0) {
        struct zaf_buffer error = {0};
        struct zaf_message event = {
            .name = text("HUNDREDTH"),
            .endpoint = text("counter"),
            .kind = ZAF_EVENT,
            .format = ZAF_JSON,
            .payload = text("null"),
        };
        if (counter->host->trigger(counter->host->context, &event, &error) != ZAF_OK) {
            counter->host->log(counter->host->context, ZAF_WARN, (struct zaf_bytes){error.data, error.length});
        }
        if (error.free != NULL) {
            error.free(error.data, error.length);
        }
    }
    return ZAF_OK;
}

static int32_t stop(void *instance, struct zaf_buffer *error) {
    (void)error;
    free(instance);
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
