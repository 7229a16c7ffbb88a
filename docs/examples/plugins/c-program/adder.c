/*
 * Adds numbers: a plugin that is a program and speaks the binary codec, so that it needs no parser of JSON.
 *
 *     cc -O2 -o adder adder.c
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START = 2, EVENT = 3, REQUEST = 4, DONE = 6, ERROR = 7, STOP = 8, REPLY = 10, STOPPED = 14 };
enum { HEAD = 28, LONGEST = 1 << 20 };

static const char DESCRIPTION[] =
    "{\"type\":\"description\",\"id\":1,\"plugin\":{\"protocol\":1,\"codec\":\"binary\",\"name\":\"adder\",\"version\":\"1.0\","
    "\"description\":\"Adds numbers.\",\"kind\":{\"command\":{\"extends\":[\"run\"]}},"
    "\"endpoints\":[{\"name\":\"adder\",\"messages\":[{\"name\":\"SUM\",\"kind\":\"request\","
    "\"description\":\"The sum of a list of numbers.\"}]}],"
    "\"dispatchers\":[{\"name\":\"adder\",\"messages\":[\"SUM\"]}],\"samples\":{\"SUM\":[1,2,3]}}}\n";

static uint8_t body[LONGEST];

static uint32_t number(const uint8_t *at) {
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put(uint8_t *at, uint32_t number) {
    for (int byte = 0; byte < 4; byte++) {
        at[byte] = (uint8_t)(number >> 8 * byte);
    }
}

/* Writes a frame of this type with the id of `body`, a text (or none) and a payload in JSON (or none). One write, then it is gone. */
static void answer(uint8_t type, const char *text, const char *payload) {
    static uint8_t frame[4 + HEAD + 5 * 4 + 512];
    size_t text_length = text ? strlen(text) : 0, payload_length = payload ? strlen(payload) : 0;
    uint8_t *at = frame + 4 + HEAD;
    memset(frame, 0, 4 + HEAD);
    frame[4] = type;
    frame[5] = payload ? 1 : 0;
    memcpy(frame + 16, body + 12, 8); /* the id */
    for (int field = 0; field < 4; field++, at += 4) {
        put(at, UINT32_MAX); /* no dispatcher, message, endpoint, entity */
    }
    put(at, text ? (uint32_t)text_length : UINT32_MAX);
    at += 4;
    memcpy(at, text ? text : "", text_length);
    at += text_length;
    memcpy(at, payload ? payload : "", payload_length);
    at += payload_length;
    put(frame, (uint32_t)(at - frame - 4));
    fwrite(frame, 1, (size_t)(at - frame), stdout);
    fflush(stdout);
}

/* Reads one frame into `body`; its length, or -1 at the end of the input. */
static long next(void) {
    uint8_t head[4];
    if (fread(head, 1, 4, stdin) != 4) {
        return -1;
    }
    uint32_t length = number(head);
    if (length > LONGEST || fread(body, 1, length, stdin) != length) {
        return -1;
    }
    return (long)length;
}

/* Answers a request: the second of the five texts is the name of the message, behind them is the payload. */
static void request(long length) {
    const uint8_t *at = body + HEAD, *end = body + length, *name = NULL;
    uint32_t name_length = 0;
    for (int field = 0; field < 5; field++) {
        uint32_t text_length = end - at < 4 ? UINT32_MAX : number(at);
        at += 4;
        if (field == 1) {
            name = at;
            name_length = text_length;
        }
        at += text_length == UINT32_MAX ? 0 : text_length;
    }
    if (name_length != 3 || at > end || memcmp(name, "SUM", 3) != 0) {
        answer(ERROR, "this message is not known", NULL);
        return;
    }
    double sum = 0;
    char text[64];
    while (at < end) {
        char digits[32] = {0};
        size_t count = 0;
        while (at < end && strchr("+-.eE0123456789", *at) && *at != 0 && count + 1 < sizeof digits) {
            digits[count++] = (char)*at++;
        }
        sum += atof(digits);
        at += count == 0;
    }
    snprintf(text, sizeof text, "%.15g", sum);
    answer(REPLY, NULL, text);
}

int main(void) {
    long length;
    /* `describe` is a line of JSON, and always has id 1. */
    for (int byte = getchar(); byte != '\n'; byte = getchar()) {
        if (byte == EOF) {
            return 0;
        }
    }
    fwrite(DESCRIPTION, 1, sizeof DESCRIPTION - 1, stdout);
    fflush(stdout);
    while ((length = next()) >= 0) {
        if (length < HEAD + 5 * 4) {
            memset(body, 0, HEAD);
            answer(ERROR, "a frame that is too short", NULL);
            continue;
        }
        switch (body[0]) {
        case START:
            answer(DONE, NULL, NULL);
            break;
        case REQUEST:
            request(length);
            break;
        case EVENT:
            answer(ERROR, "this message is not known", NULL);
            break;
        case STOP:
            answer(STOPPED, NULL, NULL);
            return 0;
        default:
            memset(body, 0, HEAD);
            answer(ERROR, "a frame of an unknown type", NULL);
        }
    }
    return 0;
}
