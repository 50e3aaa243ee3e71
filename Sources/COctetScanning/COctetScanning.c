// Wingmirror · Apache-2.0

#include "COctetScanning.h"
