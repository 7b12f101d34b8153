/* IP distances; see ip_distance.h. */
#include "core/gist/state/ip_distance.h"

uint8_t gist_ip_distance(const struct gist_reception *reception, uint8_t known)
{
    const struct gist_message *message = &reception->message;
    uint8_t told = message->nli.ip_ttl;
    if (!gist_message_has(message, GIST_OBJECT_NLI))
        return known;
    if (message->mri.upstream)
        return told;
    if (!reception->arrival || told == 0 || reception->arrival->ip_ttl > told)
        return known;
    return (uint8_t)(told - reception->arrival->ip_ttl);
}
