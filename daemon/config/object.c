/* SPDX-License-Identifier: MIT */

/*
 * A pool's settings as an object: see config.h. It owns every string and list in it; a half-built one has
 * NULL where nothing was set yet. Everything is done setting by setting through the table in settings.c.
 */

#include "config/config.h"

#include "base/text.h"
#include "config/settings.h"

int config_new(Config **ret)
{
        _cleanup_(config_freep) Config *config = NULL;

        config = calloc(1, sizeof *config);
        if (!config)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                int r = setting_set_default(&settings[i], config);

                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(config);
        return 0;
}

void config_free(Config *config)
{
        if (!config)
                return;

        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                if (setting_storage(&settings[i]) == STORE_STRING)
                        free(setting_get_string(&settings[i], config));
                else if (setting_storage(&settings[i]) == STORE_STRV)
                        strv_free(setting_get_list(&settings[i], config));
        free(config);
}

const char *pm_mode_to_string(PmMode mode)
{
        return setting_choice(SETTING_PM_MODE, mode);
}
