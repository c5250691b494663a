// Stands in for a runner: ends when it is told to, or once it is also let go, or at once.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t told;

static void leave(int signal) { _exit(0); }
static void note(int signal) { told = 1; }
static void let_go(int signal) {
  if (told) _exit(0);
}

int main(void) {
  const char *mode = getenv("STAND_IN"), *broker = getenv("FUNCATRON_BROKER");
  if (mode && !strcmp(mode, "crashing")) {
    fprintf(stderr, "cannot reach %s\n", broker ? broker : "anybody");
    return 3;
  }
  int holding = mode && !strcmp(mode, "holding");
  signal(SIGUSR1, let_go);
  signal(SIGTERM, holding ? note : leave);
  for (;;) pause();
}
