/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small languages of configuration and control: addresses, prefixes, protocols, session ids. */
#ifndef NATFWD_TEXT_H
#define NATFWD_TEXT_H

#include "core/natfw/policy.h"

enum { TEXT_SID_SIZE = 33, TEXT_ADDRESS_SIZE = 46, TEXT_FLOW_SIZE = 160, TEXT_ANSWER_SIZE = 8 };

/* Each parser returns false when the text is anything else. */
bool text_to_address(const char *text, struct gist_address *address); /* 192.0.2.1 */
bool text_to_prefix(const char *text, struct gist_address *address, uint8_t *bits);
bool text_to_endpoint(const char *text, struct gist_address *address, bool *has_port,
    uint16_t *port); /* 192.0.2.1[:53] */
bool text_to_number(const char *text, unsigned long low, unsigned long high, unsigned long *value);
bool text_to_protocol(const char *text, uint8_t *protocol); /* udp, tcp, 0 to 255 */
bool text_to_code(const char *text, enum natfw_code *code); /* allow, 7/0x04 */

void text_of_session_id(const struct gist_session_id *id, char text[TEXT_SID_SIZE]);
void text_of_address(const struct gist_address *address, char text[TEXT_ADDRESS_SIZE]);
/* "udp 192.0.2.2:4000 -> 198.51.100.2:5000", with "*" for what is open;
 * IPv6 addresses in brackets. */
void text_of_flow(const struct gist_mri *flow, char text[TEXT_FLOW_SIZE]);

/* "5/0x02", and "allow" for NATFW_NO_CODE. */
void text_of_answer(enum natfw_code answer, char text[TEXT_ANSWER_SIZE]);

/* What a class and code of NATFW_INFO mean, RFC 5973 4.2.5. Never NULL. */
const char *text_of_code(enum natfw_code code);

#endif
