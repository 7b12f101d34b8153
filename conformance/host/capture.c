/* Captures: one live capture per port, shared out to one pcap file per case by IPv4 address; and
 * reading a pcap file for `decode`. */
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

/* Where the network layer begins in a frame of this link type: Ethernet with or without VLAN tags,
 * Linux cooked (both versions), loopback, raw IP. 0 octets left mean that it carries no IP. */
static size_t ip_offset(int link_type, const u_char *octets, size_t size)
{
    enum { ADDRESSES_OF_ETHERNET = 12, COOKED = 16, COOKED_2 = 20, LOOPBACK = 4, VLAN_TAG = 4 };
    size_t type_at;
    size_t start;
    switch (link_type) {
    case DLT_EN10MB:
        type_at = ADDRESSES_OF_ETHERNET;
        while (
            type_at + 2 <= size && ((octets[type_at] == 0x81 && octets[type_at + 1] == 0x00) ||
                                       (octets[type_at] == 0x88 && octets[type_at + 1] == 0xa8))) {
            type_at += VLAN_TAG;
        }
        start = type_at + 2;
        break;
    case DLT_LINUX_SLL:
        type_at = COOKED - 2;
        start = COOKED;
        break;
    case DLT_LINUX_SLL2:
        type_at = 0;
        start = COOKED_2;
        break;
    case DLT_NULL:
    case DLT_LOOP:
        return LOOPBACK < size ? LOOPBACK : size;
    default:
        return 0;
    }
    if (start >= size) {
        return size;
    }
    bool ipv4 = octets[type_at] == 0x08 && octets[type_at + 1] == 0x00;
    bool ipv6 = octets[type_at] == 0x86 && octets[type_at + 1] == 0xdd;
    return ipv4 || ipv6 ? start : size;
}

static bool knows_link_type(int link_type)
{
    static const int known[] = {
        DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_LOOP, DLT_RAW, DLT_IPV4, DLT_IPV6};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i] == link_type) {
            return true;
        }
    }
    return false;
}

/* Hands each IP packet to the function at index 2; the result of the last read. */
static int read_packets(lua_State *L, pcap_t *file)
{
    struct pcap_pkthdr *header;
    const u_char *octets;
    int result;
    for (lua_Integer frame = 1; (result = pcap_next_ex(file, &header, &octets)) == 1; frame++) {
        size_t start = ip_offset(pcap_datalink(file), octets, header->caplen);
        if (start >= header->caplen) {
            continue;
        }
        lua_pushvalue(L, 2);
        lua_pushlstring(L, (const char *)octets + start, header->caplen - start);
        lua_pushnumber(L, (double)header->ts.tv_sec + (double)header->ts.tv_usec / 1e6);
        lua_pushinteger(L, frame);
        if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
            pcap_close(file);
            return lua_error(L);
        }
    }
    return result;
}

/* host.read_pcap(path, function(octets, seconds, frame)): IP packets without their link header.
 * True, or nil and why. A file that ends in the middle of a frame, as one does whose recording was
 * broken off, is read up to there: true, and a warning. */
static int read_pcap(lua_State *L)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    const char *path = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    pcap_t *file = pcap_open_offline(path, error);
    if (!file) {
        luaL_pushfail(L);
        if (strncmp(error, path, strlen(path)) == 0) {
            lua_pushstring(L, error);
        } else {
            lua_pushfstring(L, "%s: %s", path, error);
        }
        return 2;
    }
    if (!knows_link_type(pcap_datalink(file))) {
        luaL_pushfail(L);
        lua_pushfstring(L, "%s: link type %d is none that I know", path, pcap_datalink(file));
        pcap_close(file);
        return 2;
    }
    lua_settop(L, 2);
    if (read_packets(L, file) == PCAP_ERROR) {
        if (strstr(pcap_geterr(file), "truncated")) {
            lua_pushboolean(L, 1);
        } else {
            luaL_pushfail(L);
        }
        lua_pushfstring(L, "%s: %s", path, pcap_geterr(file));
        pcap_close(file);
        return 2;
    }
    pcap_close(file);
    lua_pushboolean(L, 1);
    return 1;
}

void host_open_capture(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", capture_close}, {"record", capture_record}, {"stop", capture_stop}, {NULL, NULL}};
    static const luaL_Reg netns_methods[] = {{"capture", netns_capture}, {NULL, NULL}};
    host_class(L, "host.capture", methods);
    host_extend_class(L, HOST_NETNS, netns_methods);
    lua_pushcfunction(L, read_pcap);
    lua_setfield(L, -2, "read_pcap");
}
