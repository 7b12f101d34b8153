/* The values that views are made of; see view.h. */
#include "harness/codec-lines/view.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

json_t *view_number_if(bool significant, uint32_t number)
{
    return significant ? json_integer(number) : json_null();
}

json_t *view_hex(const uint8_t *octets, size_t length)
{
    char *text = calloc(2 * length + 1, 1);
    for (size_t i = 0; text && i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", octets[i]);
    json_t *string = json_string(text ? text : "");
    free(text);
    return string;
}

json_t *view_octets(struct gist_octets octets)
{
    return view_hex(octets.octets, octets.length);
}

json_t *view_address(const struct gist_address *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(address->version == 6 ? AF_INET6 : AF_INET, address->octets, text, sizeof(text));
    return json_string(text);
}

json_t *view_address_v4(uint32_t host_order)
{
    struct gist_address address = gist_address_v4(host_order);
    return view_address(&address);
}
