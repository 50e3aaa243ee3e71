// Wingmirror · Apache-2.0

#include <malloc.h>
