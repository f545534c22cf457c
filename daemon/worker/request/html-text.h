/* SPDX-License-Identifier: MIT */
#pragma once

/* Messages that PHP wrote for a browser, since html_errors is on, as text for the log. Pure. */

/*
 * Takes the links and entities out of a message, in place, that php_verror() made while html_errors was on:
 * it begins with where it comes from, "fopen(a&lt;b)" or "PHP Startup", behind "PHP Warning:  " where that
 * is there. What else reports errors escapes nothing, and is left alone.
 */
void html_text_plain(char *message);
