/* The main thread ends first, and the process goes on.
 * cc -Wall -O1 -pthread -o main-first 01-main-first.c && ./main-first */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The state of every thread of this process: R runs, S sleeps, Z has ended. */
static void show(void) {
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *d; tasks && (d = readdir(tasks));) {
        char path[300], line[512];
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", d->d_name);
        FILE *f = d->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (f && fgets(line, sizeof line, f))
            printf("  thread %s: %c", d->d_name, strrchr(line, ')')[2]);
        if (f)
            fclose(f);
    }
    if (tasks)
        closedir(tasks);
    printf("   (process %d)\n", getpid());
    fflush(stdout);
}

static void *worker(void *unused) {
    for (int i = 0; i < 3; i++) {
        sleep(1);
        show();
    }
    return unused; /* the last thread ends, and with it the process */
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, worker, NULL))
        return 1;
    show();
    pthread_exit(NULL); /* ends this thread alone; return would end all */
}
