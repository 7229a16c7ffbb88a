/*
 * Plugins as C libraries: what a library exports, and what it may call.
 *
 *     cc -shared -fPIC -I include -o my_plugin.so my_plugin.c
 *
 * A plugin includes this header once, writes ZAF_PLUGIN_NOTE at file scope, and exports one constant table, zaf_plugin_v1.
 *
 * Rules of both sides:
 * - struct zaf_bytes is borrowed: it can be read until the function returns. Nobody keeps or frees it. No pointer: there is none.
 * - struct zaf_buffer is owned by who gets it, who calls its `free` once, with its fields. A function is given an empty one (all
 *   zero) and may leave it empty.
 * - Functions return ZAF_OK, or another code with a text in UTF-8 in the buffer. No exception and no longjmp leaves a function: what
 *   is written in another language catches what it throws and returns ZAF_PANICKED.
 * - Functions may be called by any thread. `message` is called once at a time, unless the description says "concurrent": true.
 * - A function that does not return in time is left behind, and no other one is called: whatever it waits for needs a limit of its own.
 * - A library is never unloaded. Threads of it may run until the process ends, but must not call the host after `stop`.
 */
#ifndef ZAF_PLUGIN_H
#define ZAF_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of everything in this file. */
#define ZAF_ABI 1

#if defined(__x86_64__)
#define ZAF_MACHINE "x86_64-linux"
#elif defined(__aarch64__)
#define ZAF_MACHINE "aarch64-linux"
#else
#define ZAF_MACHINE "unsupported"
#endif

/* What functions return. */
enum { ZAF_OK = 0, ZAF_REFUSED = 1, ZAF_PANICKED = 2 };

/* zaf_message.kind */
enum { ZAF_EVENT = 1, ZAF_REQUEST = 2 };

/* zaf_message.format */
enum { ZAF_JSON = 1, ZAF_POSTCARD = 2 };

/* zaf_host_v1.log */
enum { ZAF_TRACE = 1, ZAF_DEBUG = 2, ZAF_INFO = 3, ZAF_WARN = 4, ZAF_ERROR = 5 };

/* Borrowed bytes. */
struct zaf_bytes {
    const uint8_t *data;
    size_t length;
};

/* Owned bytes. */
struct zaf_buffer {
    uint8_t *data;
    size_t length;
    void (*free)(uint8_t *data, size_t length);
};

/* A message, in both directions. */
struct zaf_message {
    struct zaf_bytes dispatcher; /* which dispatcher of the plugin it is for; none in messages of the plugin */
    struct zaf_bytes name;
    struct zaf_bytes endpoint; /* who triggers the event or gets the request */
    struct zaf_bytes entity;   /* what it is about; none: nothing in particular */
    uint32_t kind;
    uint32_t format; /* of the payload */
    struct zaf_bytes payload;
};

/* What a plugin may call between the begin of its `start` and its `stop`. It stays where it is for ever. */
struct zaf_host_v1 {
    uint32_t size; /* of this table, in bytes: later versions are longer */
    uint32_t abi;
    void *context; /* first argument of all functions */
    int32_t (*trigger)(void *context, const struct zaf_message *event, struct zaf_buffer *error);
    /* Waits for all answers, at most `timeout_ms` (0: as long as the host thinks right). `replies` is laid out as the payload of
     * a binary `replies` frame: see the page on the plugin protocol. */
    int32_t (*send)(void *context, const struct zaf_message *request, uint64_t timeout_ms, struct zaf_buffer *replies);
    void (*log)(void *context, uint32_t level, struct zaf_bytes text);
};

/* What a plugin exports. */
struct zaf_plugin_v1 {
    uint32_t abi;  /* ZAF_ABI */
    uint32_t size; /* sizeof(struct zaf_plugin_v1) */
    /* What are you? Gives the description as JSON. May be called more than once, also without a start. */
    int32_t (*describe)(struct zaf_buffer *description);
    /* Begins an instance; `start` is JSON: {"config": {"key": value}, "entity": "name" or null}. */
    int32_t (*start)(const struct zaf_host_v1 *host, struct zaf_bytes start, void **instance, struct zaf_buffer *error);
    /* Handles an event, or a request: then `answer` is the answer, in the format of the request. */
    int32_t (*message)(void *instance, const struct zaf_message *message, struct zaf_buffer *answer);
    /* Ends an instance and frees it. */
    int32_t (*stop)(void *instance, struct zaf_buffer *error);
};

#if defined(__GNUC__)
#define ZAF_EXPORT __attribute__((visibility("default")))
#else
#define ZAF_EXPORT
#endif

/* The name under which the host looks for the table. */
extern ZAF_EXPORT const struct zaf_plugin_v1 zaf_plugin_v1;

/* The note by which a host knows a plugin before it runs anything of it: abi and machine. */
struct zaf_note {
    uint32_t name_length, length, type;
    char name[4];
    uint32_t abi;
    char machine[16];
};
#define ZAF_PLUGIN_NOTE_OF(ABI, MACHINE)                                                                              \
    __attribute__((section(".note.zk2"), aligned(4), used)) static const struct zaf_note zaf_note = {                \
        4, sizeof(uint32_t) + 16, 1, "zk2", ABI, MACHINE}
#define ZAF_PLUGIN_NOTE ZAF_PLUGIN_NOTE_OF(ZAF_ABI, ZAF_MACHINE)

#ifdef __cplusplus
}
#endif

#endif
