/*
 * The lab's own world: a PID namespace whose death takes every process along, a mount namespace
 * whose /run holds all that the lab names, and a network of its own. Nothing of it is visible
 * outside, or outlives the lab.
 */
#ifndef NATFW_LAB_ISOLATION_H
#define NATFW_LAB_ISOLATION_H

#include <stdbool.h>

/*
 * Continues in the child, which is the first process of the new namespaces; the parent waits for it
 * and exits as it did. When the parent is killed, so is the child, and with it the whole lab.
 * Returns 0, or a negative errno with *what set to what failed.
 */
int isolation_enter(const char **what);

/*
 * A SIGINT ends the lab, as SIGTERM and SIGHUP do, but while the terminal is given to a program,
 * which then hears it itself.
 */
void isolation_give_terminal(bool is_given);

#endif
