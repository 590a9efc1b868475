/* SPDX-License-Identifier: MIT */
#include "isa.h"

#include "string.h"

bool isa_lists(const char *isa, const char *extension)
{
    size_t length = strlen(extension);

    for (const char *word = strchr(isa, '_'); word != NULL; word = strchr(word, '_')) {
        word++;
        if (strncmp(word, extension, length) == 0 && (word[length] == 0 || word[length] == '_'))
            return true;
    }
    return false;
}
