/* Frames carried between TAP devices; see wire.h. */
#define _GNU_SOURCE
#include "wire.h"

#include "schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 65536, QUEUE_MAX = 100000 };

struct end {
    struct wire *wire;
    int handle;
};

struct wire {
    struct end ends[2];
    struct wire_impairment impairment;
    struct wire_counters counters;
    pcap_t *pcap;
    pcap_dumper_t *recording;
};

/* A frame under way. */
struct frame {
    TAILQ_ENTRY(frame) next;
    struct end *to;
    uint64_t due_us;
    size_t length;
    uint8_t octets[];
};

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    int epoll;
    int stop;
    uint64_t random;
    TAILQ_HEAD(frame_queue, frame) queue; /* the earliest first */
    size_t queued;
} carrier = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* xorshift64*: one seed gives one run. */
static double chance(void)
{
    carrier.random ^= carrier.random >> 12;
    carrier.random ^= carrier.random << 25;
    carrier.random ^= carrier.random >> 27;
    return (double)((carrier.random * 0x2545f4914f6cdd1du) >> 11) / (double)(1u << 26) /
           (double)(1u << 27);
}

static void record(struct wire *wire, const struct frame *frame)
{
    if (!wire->recording)
        return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct pcap_pkthdr header = {
        .ts = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000},
        .caplen = (bpf_u_int32)frame->length,
        .len = (bpf_u_int32)frame->length,
    };
    pcap_dump((u_char *)wire->recording, &header, frame->octets);
    pcap_dump_flush(wire->recording);
}

static void deliver(struct frame *frame)
{
    struct wire *wire = frame->to->wire;
    if (wire->impairment.cut) {
        wire->counters.lost++;
    } else {
        record(wire, frame);
        wire->counters.carried++;
        /* A device that is down takes no frame; neither would a network card. */
        ssize_t written = write(frame->to->handle, frame->octets, frame->length);
        (void)written;
    }
    free(frame);
}

static void enqueue(struct frame *frame)
{
    struct frame *before;
    TAILQ_FOREACH_REVERSE(before, &carrier.queue, frame_queue, next)
        if (before->due_us <= frame->due_us)
            break;
    if (before)
        TAILQ_INSERT_AFTER(&carrier.queue, before, frame, next);
    else
        TAILQ_INSERT_HEAD(&carrier.queue, frame, next);
    carrier.queued++;
}

static void send_on(struct end *from, const uint8_t *octets, size_t length)
{
    struct wire *wire = from->wire;
    const struct wire_impairment *impairment = &wire->impairment;
    if (carrier.queued >= QUEUE_MAX || impairment->cut || chance() < impairment->loss) {
        wire->counters.lost++;
        return;
    }
    struct frame *frame = malloc(sizeof(*frame) + length);
    if (!frame)
        return;
    frame->to = from == &wire->ends[0] ? &wire->ends[1] : &wire->ends[0];
    frame->length = length;
    memcpy(frame->octets, octets, length);
    if (chance() < impairment->corruption)
        frame->octets[(size_t)(chance() * (double)length)] ^= (uint8_t)(1 << (int)(chance() * 8));
    double delay_ms = impairment->delay_ms + chance() * impairment->jitter_ms;
    if (chance() < impairment->reordering)
        delay_ms += impairment->delay_ms + 1;
    if (delay_ms <= 0) {
        deliver(frame);
        return;
    }
    frame->due_us = now_us() + (uint64_t)(delay_ms * 1000);
    enqueue(frame);
}

static void receive(struct end *end)
{
    static uint8_t octets[FRAME_MAX];
    ssize_t length;
    while ((length = read(end->handle, octets, sizeof(octets))) > 0) {
        send_on(end, octets, (size_t)length);
        if (chance() < end->wire->impairment.duplication)
            send_on(end, octets, (size_t)length);
    }
}

static int deliver_what_is_due(void)
{
    struct frame *frame;
    while ((frame = TAILQ_FIRST(&carrier.queue))) {
        uint64_t now = now_us();
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed is out of the queue */
        if (frame->due_us > now)
            return (int)((frame->due_us - now + 999) / 1000);
        TAILQ_REMOVE(&carrier.queue, frame, next);
        carrier.queued--;
        deliver(frame);
    }
    return -1;
}

static void *carry(void *unused)
{
    (void)unused;
    schedule_promptly(false);
    struct epoll_event events[16];
    int timeout_ms = -1;
    for (;;) {
        int count = epoll_wait(carrier.epoll, events, 16, timeout_ms);
        pthread_mutex_lock(&carrier.mutex);
        for (int i = 0; i < count; i++) {
            if (!events[i].data.ptr) {
                pthread_mutex_unlock(&carrier.mutex);
                return NULL;
            }
            receive(events[i].data.ptr);
        }
        timeout_ms = deliver_what_is_due();
        pthread_mutex_unlock(&carrier.mutex);
    }
}

static int watch(int handle, struct end *end)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};
    return epoll_ctl(carrier.epoll, EPOLL_CTL_ADD, handle, &event) < 0 ? -errno : 0;
}

int wire_start(uint64_t seed)
{
    TAILQ_INIT(&carrier.queue);
    carrier.random = seed ? seed : 1;
    carrier.epoll = epoll_create1(EPOLL_CLOEXEC);
    carrier.stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (carrier.epoll < 0 || carrier.stop < 0)
        return -errno;
    int result = watch(carrier.stop, NULL);
    return result < 0 ? result : -pthread_create(&carrier.thread, NULL, carry, NULL);
}

void wire_stop(void)
{
    if (eventfd_write(carrier.stop, 1) == 0)
        pthread_join(carrier.thread, NULL);
}

static int open_tap(const struct wire_end *end, const char **what)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    if (strlen(end->interface) >= sizeof(request.ifr_name)) {
        *what = "the interface's name is too long";
        return -ENAMETOOLONG;
    }
    strcpy(request.ifr_name, end->interface);
    *what = "entering the host";
    int result = host_enter(end->host);
    if (result < 0)
        return result;
    *what = "opening /dev/net/tun";
    int handle = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    result = handle < 0 ? -errno : 0;
    if (result == 0) {
        *what = "making the TAP device";
        result = ioctl(handle, TUNSETIFF, &request) < 0 ? -errno : 0;
    }
    host_leave();
    if (result < 0 && handle >= 0)
        close(handle);
    return result < 0 ? result : handle;
}

static bool open_recording(struct wire *wire, const char *path, const char **what)
{
    *what = "opening the pcap file";
    wire->pcap = pcap_open_dead(DLT_EN10MB, FRAME_MAX);
    wire->recording = wire->pcap ? pcap_dump_open(wire->pcap, path) : NULL;
    errno = EIO;
    return wire->recording != NULL;
}

/* A wire that could not be made in full; nothing has been sent over it. Keeps errno. */
static void discard(struct wire *wire)
{
    int error = errno;
    for (int i = 0; i < 2; i++)
        if (wire->ends[i].handle >= 0)
            close(wire->ends[i].handle);
    if (wire->recording)
        pcap_dump_close(wire->recording);
    if (wire->pcap)
        pcap_close(wire->pcap);
    free(wire);
    errno = error;
}

static bool open_ends(struct wire *wire, const struct wire_end ends[2], const char **what)
{
    for (int i = 0; i < 2; i++) {
        int handle = open_tap(&ends[i], what);
        wire->ends[i] = (struct end){.wire = wire, .handle = handle};
        if (handle < 0) {
            errno = -handle;
            return false;
        }
    }
    return true;
}

struct wire *wire_create(const struct wire_end ends[2], const char *pcap_path, const char **what)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    if (!wire)
        return NULL;
    wire->ends[0].handle = wire->ends[1].handle = -1;
    if ((!pcap_path || open_recording(wire, pcap_path, what)) && open_ends(wire, ends, what) &&
        watch(wire->ends[0].handle, &wire->ends[0]) >= 0 &&
        watch(wire->ends[1].handle, &wire->ends[1]) >= 0)
        return wire;
    discard(wire);
    return NULL;
}

void wire_impair(struct wire *wire, const struct wire_impairment *impairment)
{
    pthread_mutex_lock(&carrier.mutex);
    wire->impairment = *impairment;
    pthread_mutex_unlock(&carrier.mutex);
}

struct wire_counters wire_counters_of(struct wire *wire)
{
    pthread_mutex_lock(&carrier.mutex);
    struct wire_counters counters = wire->counters;
    pthread_mutex_unlock(&carrier.mutex);
    return counters;
}
