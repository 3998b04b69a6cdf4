/* Starts threads that only rest, until one is refused or LIMIT are there.
 * Prints how many, what they reserve (VmSize), what is in RAM (VmRSS), and the error.
 *
 *   cc -Wall -O1 -pthread 11-stacks.c -o stacks
 *   ./stacks                        8 MiB a stack, 1000 at most
 *   ./stacks 64                     64 KiB a stack
 *   (ulimit -v 1048576; ./stacks)   in 1 GiB of addresses
 *   (ulimit -u 300; ./stacks)       as an ordinary user with 300 tasks at most
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT = 1000 };

static void *rest(void *nothing)
{
    for (;;)
        pause();
    return nothing;
}

/* The line of /proc/self/status that begins with `name`. */
static void show(const char *name)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, name, strlen(name)) == 0)
            fputs(line, stdout);
    if (status)
        fclose(status);
}

int main(int argc, char **argv)
{
    size_t kib = argc > 1 ? strtoul(argv[1], NULL, 10) : 8192;
    pthread_attr_t attributes;
    pthread_t thread;
    int started = 0, error = 0;

    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, kib * 1024) != 0) {
        fprintf(stderr, "a stack of %zu KiB is too small\n", kib);
        return 1;
    }
    while (started < LIMIT && (error = pthread_create(&thread, &attributes, rest, NULL)) == 0)
        started++;

    printf("threads started: %d, then: %s\n", started, error ? strerror(error) : "enough");
    show("VmSize:");
    show("VmRSS:");
    show("VmPTE:");
    return 0; /* the end of main is the end of all threads */
}
