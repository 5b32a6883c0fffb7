/* SPDX-License-Identifier: Apache-2.0 */
/* The files beside the pages, as the build found them in lib/html/assets. */
#include "runbook/html.h"

#include "generated/assets/live.js.h"
#include "generated/assets/style.css.h"

static const unsigned char style[] = {STYLE_CSS_BYTES};
static const unsigned char live[] = {LIVE_JS_BYTES};

const struct html_asset html_assets[] = {
        {"style.css", "text/css; charset=utf-8", STYLE_CSS_VERSION, style, sizeof(style)},
        {"live.js", "text/javascript; charset=utf-8", LIVE_JS_VERSION, live, sizeof(live)},
        {0},
};

const struct html_asset *html_asset_find(const char *name)
{
        for (const struct html_asset *asset = html_assets; asset->name; asset++)
                if (string_equal(asset->name, name))
                        return asset;
        return NULL;
}
