/* A library that is wrong in the way that the macro says which the compiler is given. */
#include "zaf_plugin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NO_NOTE
#ifndef NOTE_ABI
#define NOTE_ABI ZAF_ABI
#endif
#ifndef NOTE_MACHINE
#define NOTE_MACHINE ZAF_MACHINE
#endif
ZAF_PLUGIN_NOTE_OF(NOTE_ABI, NOTE_MACHINE);
#endif

/* Whoever opens the library leaves a mark, and dies of it if that is what is wrong. */
__attribute__((constructor)) static void opened(void) {
#ifdef MARKER
    FILE *marker = fopen(MARKER, "a");
    if (marker != NULL) {
        fprintf(marker, "%d\n", (int)getpid());
        fclose(marker);
    }
#endif
#ifdef CRASH
    *(volatile int *)0 = 1;
#endif
#ifdef HANG
    for (;;) pause();
#endif
}

#ifndef NO_SYMBOL
static int freed;

static void free_bytes(uint8_t *data, size_t length) {
    memset(data, 0, length);
#ifndef LEAKS
    free(data);
#endif
    freed += 1;
}

static int32_t give(struct zaf_buffer *buffer, const char *text, int32_t code) {
    buffer->length = strlen(text);
    buffer->data = malloc(buffer->length);
    memcpy(buffer->data, text, buffer->length);
    buffer->free = free_bytes;
    return code;
}

/* Never returns where the macro says so. */
static void stuck_in(const char *function) {
#ifdef STUCK
    while (strcmp(function, STUCK) == 0) pause();
#endif
    (void)function;
}

static int32_t describe(struct zaf_buffer *description) {
#ifdef ABORT
    abort();
#endif
    stuck_in("describe");
    return give(description,
        "{\"protocol\":1,\"name\":\"wrong\",\"version\":\"1\",\"description\":\"A test.\","
        "\"kind\":{\"command\":{\"extends\":[\"run\"]}},"
        "\"dispatchers\":[{\"name\":\"main\",\"messages\":[\"EVENT\",\"ASK\"]}]}",
        ZAF_OK);
}

#ifdef THREAD
static void *forever(void *host) {
    while (host != &freed) pause();
    return NULL;
}
#endif

static int32_t start(const struct zaf_host_v1 *host, struct zaf_bytes start, void **instance, struct zaf_buffer *error) {
    stuck_in("start");
    if (start.length == 0) return give(error, "no configuration", ZAF_REFUSED);
#ifdef THREAD
    pthread_t thread;
    if (pthread_create(&thread, NULL, forever, NULL) != 0) return give(error, "no thread", ZAF_REFUSED);
    pthread_detach(thread);
#endif
    *instance = (void *)host;
    return ZAF_OK;
}

#ifndef NO_MESSAGE
static int32_t message(void *instance, const struct zaf_message *message, struct zaf_buffer *answer) {
    const struct zaf_host_v1 *host = instance;
#ifdef TRIGGERS
    struct zaf_message event = {.name = message->name, .kind = ZAF_EVENT, .format = ZAF_JSON, .payload = message->payload};
    if (host->trigger(host->context, &event, answer) != ZAF_OK) return ZAF_REFUSED;
#endif
    stuck_in("message");
    if (message->kind == ZAF_EVENT) {
        return give(answer, "index out of range", ZAF_PANICKED);
    }
#ifdef KEEPS_BORROWED
    /* What was lent for the message before. */
    static const uint8_t *borrowed;
    uint8_t first = borrowed == NULL ? 0 : borrowed[0];
    borrowed = message->payload.data;
    if (first == 0xff) return ZAF_REFUSED;
#endif
    struct zaf_buffer replies = {0};
    struct zaf_message request = {.name = message->name, .kind = ZAF_REQUEST, .format = ZAF_JSON, .payload = message->payload};
    int32_t code = host->send(host->context, &request, 0, &replies);
    char text[64];
    snprintf(text, sizeof text, "[%d,%zu,%d]", (int)code, replies.length, freed);
    if (replies.free != NULL) replies.free(replies.data, replies.length);
#ifdef FREES_TWICE
    if (replies.free != NULL) replies.free(replies.data, replies.length);
#endif
#ifdef READS_FREED
    if (replies.free != NULL && replies.data[0] == 0xff) return ZAF_REFUSED;
#endif
    code = give(answer, text, ZAF_OK);
#ifdef GIVES_FREED
    free(answer->data);
    answer->free = NULL;
#endif
#ifdef GIVES_MORE
    answer->length += 1;
#endif
    return code;
}
#endif

static int32_t stop(void *instance, struct zaf_buffer *error) {
    (void)instance;
    (void)error;
    stuck_in("stop");
    return ZAF_OK;
}

const struct zaf_plugin_v1 zaf_plugin_v1 = {
#ifdef TABLE_ABI
    .abi = TABLE_ABI,
#else
    .abi = ZAF_ABI,
#endif
    .size = sizeof(struct zaf_plugin_v1),
    .describe = describe,
    .start = start,
#ifndef NO_MESSAGE
    .message = message,
#endif
    .stop = stop,
};
#endif
