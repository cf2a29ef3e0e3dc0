/* A Modbus TCP plant on libmodbus: an implementation that shares no code with the driver.
 *
 * usage: modbus_plant [-d DEVICES] [-m] [REGISTERS]
 * Every device listens on a free port of 127.0.0.1; their ports are printed in one line. One thread
 * serves any number of clients until stdin is closed. Holding register k holds 1000 + k, input
 * register k 2000 + k, every third bit is set. With -m registers move: they start anywhere and go up
 * or down by 1 to 8 each time they are read, as sensors do, so that no two devices and no two polls
 * bring the same and nothing can be compressed that could not be in a factory. A request with a
 * function code other than 1 to 4, 17 and 43 ends the plant with exit code 9.
 *
 * A line on stdin is answered with one line of JSON: what was asked and given since the start, the
 * plant's own CPU seconds, and device and instant (us of CLOCK_MONOTONIC) of every request since
 * the line before; what does not fit into its memory is counted as `unlogged`.
 */
#include <arpa/inet.h>
#include <modbus.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* CLIENTS: libmodbus waits with select(), which knows no descriptor above 1023. */
enum { HEADER = 7, WROTE = 9, LOG_SIZE = 1 << 17, BATCH = 256, CLIENTS = 1024 };

typedef struct {
    int descriptor;
    int device; /* -1: stdin */
    bool listens;
} Endpoint;

static struct {
    int device;
    uint64_t at;
} arrivals[LOG_SIZE];

static struct {
    unsigned long long requests, registers, exceptions, connects, unlogged;
} count;

static int logged, registers = 100, epoll;
static bool moving;
static modbus_t *context;
static modbus_mapping_t **maps;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t microseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void watch(int descriptor, int device, bool listens)
{
    Endpoint *endpoint = malloc(sizeof *endpoint);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = endpoint};
    if (endpoint == NULL) {
        fail("modbus_plant: malloc");
    }
    *endpoint = (Endpoint){descriptor, device, listens};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) {
        fail("modbus_plant: epoll_ctl");
    }
}

static void forget(Endpoint *endpoint)
{
    close(endpoint->descriptor);
    free(endpoint);
}

static int listen_anywhere(int device)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = 0};
    socklen_t size = sizeof where;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&where, sizeof where) < 0 ||
        listen(listener, 16) < 0 || getsockname(listener, (struct sockaddr *)&where, &size) < 0) {
        fail("modbus_plant: listen");
    }
    watch(listener, device, true);
    return ntohs(where.sin_port);
}

/* Marsaglia's xorshift32: the same values in every run. */
static uint32_t chance(void)
{
    static uint32_t state = 2463534242;
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

static modbus_mapping_t *fill(void)
{
    modbus_mapping_t *map = modbus_mapping_new(registers, registers, registers, registers);
    if (map == NULL) {
        fail("modbus_plant: modbus_mapping_new");
    }
    for (int at = 0; at < registers; at++) {
        map->tab_registers[at] = (uint16_t)(moving ? chance() : 1000u + (unsigned)at);
        map->tab_input_registers[at] = (uint16_t)(moving ? chance() : 2000u + (unsigned)at);
        map->tab_bits[at] = map->tab_input_bits[at] = at % 3 == 0;
    }
    return map;
}

static void welcome(const Endpoint *listener)
{
    int client, yes = 1;
    while ((client = accept(listener->descriptor, NULL, NULL)) >= 0) {
        if (client >= CLIENTS) {
            close(client);
            continue;
        }
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        count.connects++;
        watch(client, listener->device, false);
    }
}

static void note_arrival(int device)
{
    count.requests++;
    if (logged == LOG_SIZE) {
        count.unlogged++;
        return;
    }
    arrivals[logged].device = device;
    arrivals[logged++].at = microseconds(CLOCK_MONOTONIC);
}

/* Counts what was read, and lets it move. A request that ends early reads as zeros here. */
static void note_read(const uint8_t *request, modbus_mapping_t *map)
{
    int function = request[HEADER];
    int offset = request[HEADER + 1] << 8 | request[HEADER + 2];
    int wanted = request[HEADER + 3] << 8 | request[HEADER + 4];
    if (wanted == 0 || offset + wanted > registers) {
        count.exceptions++;
        return;
    }
    count.registers += (unsigned)wanted;
    if (moving && function >= 3) {
        uint16_t *table = function == 3 ? map->tab_registers : map->tab_input_registers;
        for (int at = offset; at < offset + wanted; at++) {
            uint32_t step = chance() >> 16;
            table[at] = (uint16_t)(table[at] + (step & 8 ? 1 + (step & 7) : -1 - (step & 7)));
        }
    }
}

/* 17 and 43 ask a device who it is; libmodbus answers the first and refuses the other. */
static bool reads(int function)
{
    return (function >= 1 && function <= 4) || function == 17 || function == 43;
}

/* Answers one request; false if the client has gone. */
static bool answer(const Endpoint *client)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH] = {0};
    modbus_mapping_t *map = maps[client->device];
    modbus_set_socket(context, client->descriptor);
    int length = modbus_receive(context, request);
    if (length <= 0) {
        return length == 0;
    }
    if (length > HEADER && !reads(request[HEADER])) {
        exit(WROTE);
    }
    note_arrival(client->device);
    if (modbus_reply(context, request, length, map) < 0) {
        return false;
    }
    note_read(request, map);
    return true;
}

/* Answers a line on stdin; ends the plant when whoever started it has gone. */
static void report(void)
{
    char line[64];
    if (read(STDIN_FILENO, line, sizeof line) <= 0) {
        exit(0);
    }
    printf("{\"requests\":%llu,\"registers\":%llu,\"exceptions\":%llu,\"connects\":%llu,"
           "\"unlogged\":%llu,\"cpu_s\":%.3f,\"arrivals\":[",
           count.requests, count.registers, count.exceptions, count.connects, count.unlogged,
           (double)microseconds(CLOCK_PROCESS_CPUTIME_ID) / 1e6);
    for (int at = 0; at < logged; at++) {
        printf("%s[%d,%llu]", at ? "," : "", arrivals[at].device,
               (unsigned long long)arrivals[at].at);
    }
    logged = 0;
    printf("]}\n");
    fflush(stdout);
}

static void serve(Endpoint *endpoint)
{
    if (endpoint->device < 0) {
        report();
    } else if (endpoint->listens) {
        welcome(endpoint);
    } else if (!answer(endpoint)) {
        forget(endpoint);
    }
}

static int read_words(int words, char **word)
{
    int devices = 1;
    for (int option; (option = getopt(words, word, "d:m")) != -1;) {
        if (option == 'd') {
            devices = atoi(optarg);
        } else if (option == 'm') {
            moving = true;
        } else {
            exit(2);
        }
    }
    registers = optind < words ? atoi(word[optind]) : registers;
    return devices;
}

int main(int words, char **word)
{
    int devices = read_words(words, word);
    epoll = epoll_create1(0);
    context = modbus_new_tcp("127.0.0.1", 0); /* for its framing; the sockets are ours */
    maps = calloc((size_t)devices, sizeof *maps);
    if (epoll < 0 || context == NULL || maps == NULL) {
        fail("modbus_plant");
    }
    for (int device = 0; device < devices; device++) {
        maps[device] = fill();
        printf("%s%d", device ? " " : "", listen_anywhere(device));
    }
    printf("\n");
    fflush(stdout);
    watch(STDIN_FILENO, -1, false);
    for (;;) {
        struct epoll_event events[BATCH];
        int ready = epoll_wait(epoll, events, BATCH, -1);
        for (int at = 0; at < ready; at++) {
            serve(events[at].data.ptr);
        }
    }
}
