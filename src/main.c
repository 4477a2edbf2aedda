/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <stdio.h>

int main(void)
{
    printf("vnat %s\n", VNAT_VERSION);
    return 0;
}
