/* Reading capture files, packet by packet, with what cannot be GIST kept back. */
#include "capture_file.h"

#include "binding.h"
#include "packet_filter.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char FILTER[] = "host.packet_filter";
static const char CAPTURE_FILE[] = "host.capture_file";

struct capture_file {
    pcap_t *pcap;
    lua_Integer frames; /* read so far */
    lua_Integer passed; /* of them, given to Lua */
};

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

/* nil, and what libpcap says, with the file's path before it. */
static int fail(lua_State *L, const char *path, const char *error)
{
    luaL_pushfail(L);
    if (strncmp(error, path, strlen(path)) == 0) {
        lua_pushstring(L, error);
    } else {
        lua_pushfstring(L, "%s: %s", path, error);
    }
    return 2;
}

/* host.open_capture(path): a capture file; nil and why where it cannot be read. */
static int open_capture(lua_State *L)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    const char *path = luaL_checkstring(L, 1);
    pcap_t *pcap = pcap_open_offline(path, error);
    if (!pcap) {
        return fail(L, path, error);
    }
    if (!knows_link_type(pcap_datalink(pcap))) {
        luaL_pushfail(L);
        lua_pushfstring(L, "%s: link type %d is none that I know", path, pcap_datalink(pcap));
        pcap_close(pcap);
        return 2;
    }
    struct capture_file *file = lua_newuserdatauv(L, sizeof *file, 0);
    *file = (struct capture_file){.pcap = pcap};
    luaL_setmetatable(L, CAPTURE_FILE);
    return 1;
}

static struct capture_file *check_file(lua_State *L)
{
    struct capture_file *file = luaL_checkudata(L, 1, CAPTURE_FILE);
    luaL_argcheck(L, file->pcap, 1, "the file is closed");
    return file;
}

/* file:next(filter): the next IP packet, without its link header, that has to be read: octets,
 * seconds, number of its frame. Without a filter, the next of all. At the end nil; nil and why
 * where the file cannot be read on; that and true where it only breaks off, as one does whose
 * recording did. */
static int capture_file_next(lua_State *L)
{
    struct capture_file *file = check_file(L);
    struct packet_filter *filter = luaL_testudata(L, 2, FILTER);
    struct pcap_pkthdr *header;
    const u_char *octets;
    int result;
    while ((result = pcap_next_ex(file->pcap, &header, &octets)) == 1) {
        file->frames++;
        size_t start = ip_offset(pcap_datalink(file->pcap), octets, header->caplen);
        size_t size = header->caplen - start;
        if (size == 0 || (filter && !packet_filter_passes(filter, octets + start, size))) {
            continue;
        }
        file->passed++;
        lua_pushlstring(L, (const char *)octets + start, size);
        lua_pushnumber(L, (double)header->ts.tv_sec + (double)header->ts.tv_usec / 1e6);
        lua_pushinteger(L, file->frames);
        return 3;
    }
    luaL_pushfail(L);
    if (result != PCAP_ERROR) {
        return 1;
    }
    lua_pushstring(L, pcap_geterr(file->pcap));
    lua_pushboolean(L, strstr(pcap_geterr(file->pcap), "truncated") != NULL);
    return 3;
}

/* file:counts(): frames read, and how many of them were given out. */
static int capture_file_counts(lua_State *L)
{
    struct capture_file *file = check_file(L);
    lua_pushinteger(L, file->frames);
    lua_pushinteger(L, file->passed);
    return 2;
}

static int capture_file_close(lua_State *L)
{
    struct capture_file *file = luaL_checkudata(L, 1, CAPTURE_FILE);
    if (file->pcap) {
        pcap_close(file->pcap);
        file->pcap = NULL;
    }
    return 0;
}

/* host.packet_filter(): one for all files of a recording. */
static int packet_filter(lua_State *L)
{
    struct packet_filter *filter = lua_newuserdatauv(L, sizeof *filter, 0);
    memset(filter, 0, sizeof *filter);
    luaL_setmetatable(L, FILTER);
    return 1;
}

/* filter:ignore(octets, both): the direction of this packet's TCP connection carries no GIST, or
 * both do not. */
static int filter_ignore(lua_State *L)
{
    struct packet_filter *filter = luaL_checkudata(L, 1, FILTER);
    size_t size;
    const char *octets = luaL_checklstring(L, 2, &size);
    packet_filter_ignore(filter, (const uint8_t *)octets, size, lua_toboolean(L, 3));
    return 0;
}

void host_open_capture_file(lua_State *L)
{
    static const luaL_Reg file_methods[] = {{"close", capture_file_close},
        {"counts", capture_file_counts}, {"next", capture_file_next}, {NULL, NULL}};
    static const luaL_Reg filter_methods[] = {{"ignore", filter_ignore}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"open_capture", open_capture}, {"packet_filter", packet_filter}, {NULL, NULL}};
    host_class(L, CAPTURE_FILE, file_methods);
    host_class(L, FILTER, filter_methods);
    luaL_setfuncs(L, functions, 0);
}
