// Wingmirror · Apache-2.0

// Foundation brings ICU, and ICU 34 MB of data: names, dates and numbers in all languages, of which this agent formats none. A
// static executable takes the data from an archive, unless the linker is told (image.mk) that the name stands for this: the
// header of ICU's data without any entry (ICU's unicode/udata.h and ucmndata.h say its shape). Functions of ICU that want data
// report that there is none.

#include <stdint.h>

typedef struct {
    uint16_t header_size;
    uint8_t magic[2];
    // UDataInfo.
    uint16_t info_size;
    uint16_t reserved_word;
    uint8_t is_big_endian;
    uint8_t charset_family;
    uint8_t size_of_uchar;
    uint8_t reserved_octet;
    uint8_t data_format[4];
    uint8_t format_version[4];
    uint8_t data_version[4];
    uint8_t padding[8];
    // A table of contents with pointers.
    uint32_t entry_count;
    uint32_t reserved;
} EmptyData;

const EmptyData wingmirror_empty_unicode_data = {
    .header_size = 32,
    .magic = {0xDA, 0x27},
    .info_size = 20,
    .is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
    .size_of_uchar = 2,
    .data_format = {'T', 'o', 'C', 'P'},
    .format_version = {1, 0, 0, 0},
};

_Static_assert(sizeof(EmptyData) == 40, "header of 32 octets, and the table's count");
