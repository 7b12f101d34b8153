/* Captures: one live capture per port, shared out to one pcap file per case by IPv4 address. */
#define _GNU_SOURCE
#include "capture.h"

#include "binding.h"
#include "loop.h"
#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>

enum { RECORDERS = 1024, ADDRESSES = 8 };

struct recorder {
    pcap_dumper_t *file;
    uint32_t addresses[ADDRESSES];
    int count;
};

struct capture {
    pcap_t *live;
    struct event *event;
    int self;
    struct recorder recorders[RECORDERS];
};

static bool wants(const struct recorder *recorder, uint32_t source, uint32_t destination)
{
    for (int i = 0; i < recorder->count; i++) {
        if (recorder->addresses[i] == source || recorder->addresses[i] == destination) {
            return true;
        }
    }
    return false;
}

static void packet_seen(u_char *argument, const struct pcap_pkthdr *header, const u_char *octets)
{
    enum { ETHERNET = 14, IP = 20 };
    struct capture *capture = (struct capture *)argument;
    if (header->caplen < ETHERNET + IP || octets[12] != 0x08 || octets[13] != 0x00) {
        return;
    }
    uint32_t source;
    uint32_t destination;
    memcpy(&source, octets + ETHERNET + 12, sizeof source);
    memcpy(&destination, octets + ETHERNET + 16, sizeof destination);
    for (int i = 0; i < RECORDERS; i++) {
        struct recorder *recorder = &capture->recorders[i];
        if (recorder->file && wants(recorder, source, destination)) {
            pcap_dump((u_char *)recorder->file, header, octets);
        }
    }
}

static void capture_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct capture *capture = argument;
    pcap_dispatch(capture->live, -1, packet_seen, (u_char *)capture);
}

static int capture_close(lua_State *L)
{
    struct capture *capture = luaL_checkudata(L, 1, "host.capture");
    for (int i = 0; i < RECORDERS; i++) {
        if (capture->recorders[i].file) {
            pcap_dump_close(capture->recorders[i].file);
            capture->recorders[i].file = NULL;
        }
    }
    if (capture->event) {
        event_free(capture->event);
        capture->event = NULL;
    }
    if (capture->live) {
        pcap_close(capture->live);
        capture->live = NULL;
    }
    host_unref(L, &capture->self);
    return 0;
}

static pcap_t *open_live(const struct host_netns *netns, const char *interface, char *error)
{
    if (!host_enter(netns)) {
        strcpy(error, "cannot enter the namespace");
        return NULL;
    }
    pcap_t *live = pcap_create(interface, error);
    if (live) {
        pcap_set_snaplen(live, 65535);
        pcap_set_immediate_mode(live, 1);
        int result = pcap_activate(live);
        if (result < 0 || pcap_datalink(live) != DLT_EN10MB ||
            pcap_setnonblock(live, 1, error) != 0) {
            snprintf(error, PCAP_ERRBUF_SIZE, "%s: %s", interface,
                result < 0 ? pcap_geterr(live) : "not an Ethernet interface");
            pcap_close(live);
            live = NULL;
        }
    }
    host_leave();
    return live;
}

/* netns:capture(interface): a live capture, which records nothing yet. */
static int netns_capture(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *live = open_live(netns, luaL_checkstring(L, 2), error);
    if (!live) {
        luaL_pushfail(L);
        lua_pushstring(L, error);
        return 2;
    }
    struct capture *capture = lua_newuserdatauv(L, sizeof *capture, 0);
    memset(capture, 0, sizeof *capture);
    capture->live = live;
    luaL_setmetatable(L, "host.capture");
    capture->event = event_new(
        host_base(), pcap_get_selectable_fd(live), EV_READ | EV_PERSIST, capture_readable, capture);
    event_add(capture->event, NULL);
    lua_pushvalue(L, -1);
    capture->self = luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

/* capture:record(path, address, …): a number for stop(), or nil and why. */
static int capture_record(lua_State *L)
{
    struct capture *capture = luaL_checkudata(L, 1, "host.capture");
    const char *path = luaL_checkstring(L, 2);
    int slot = 0;
    while (slot < RECORDERS && capture->recorders[slot].file) {
        slot++;
    }
    if (slot == RECORDERS) {
        return luaL_error(L, "too many recordings at once");
    }
    struct recorder *recorder = &capture->recorders[slot];
    recorder->count = 0;
    for (int i = 3; i <= lua_gettop(L) && recorder->count < ADDRESSES; i++) {
        recorder->addresses[recorder->count++] = host_address(L, i, 0).sin_addr.s_addr;
    }
    recorder->file = pcap_dump_open(capture->live, path);
    if (!recorder->file) {
        luaL_pushfail(L);
        lua_pushstring(L, pcap_geterr(capture->live));
        return 2;
    }
    lua_pushinteger(L, slot);
    return 1;
}

/* capture:stop(number): what the kernel has seen so far is written first. */
static int capture_stop(lua_State *L)
{
    struct capture *capture = luaL_checkudata(L, 1, "host.capture");
    lua_Integer slot = luaL_checkinteger(L, 2);
    luaL_argcheck(L, slot >= 0 && slot < RECORDERS, 2, "no such recording");
    if (capture->recorders[slot].file) {
        pcap_dispatch(capture->live, -1, packet_seen, (u_char *)capture);
        pcap_dump_close(capture->recorders[slot].file);
        capture->recorders[slot].file = NULL;
    }
    return 0;
}

void host_open_capture(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", capture_close}, {"record", capture_record}, {"stop", capture_stop}, {NULL, NULL}};
    static const luaL_Reg netns_methods[] = {{"capture", netns_capture}, {NULL, NULL}};
    host_class(L, "host.capture", methods);
    host_extend_class(L, HOST_NETNS, netns_methods);
}
