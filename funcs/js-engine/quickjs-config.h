/* Comes before every file of QuickJS. It keeps no stack limit where it sees WASI, so it is told of another
   system with the same libc calls (libc's own headers have seen WASI by then). Its clock is ours, which
   stands still while the snapshot is taken. */
#include <wasi/api.h>
#undef __wasi__
#define __GLIBC__ 2
#define gettimeofday funcatron_gettimeofday

/* QuickJS measures its stack in linear memory, but what ends first is the stack of the host, which cannot be
   measured from inside. A place that checks the stack therefore takes a kilobyte of it: then the two are
   used up at a known rate, whatever recurses. */
static inline __attribute__((always_inline)) void *funcatron_stack_pointer(void) {
    char charge[1024];
    __asm__ volatile("" : : "r"(charge) : "memory");
    return charge;
}
#define __builtin_frame_address(level) funcatron_stack_pointer()
