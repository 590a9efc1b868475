/* SPDX-License-Identifier: MIT */
/*
 * The console: what a switch shows again, and what programs find in the output: marks and records.
 */
#include "console_fakes.h"

/* ---- who speaks ---- */

static void without_names_a_guest_cannot_speak_as_candor(void **state)
{
    static const struct {
        const char *said, *shown;
    } cases[] = {
        {"candor: all is well\n", "candor(vm1): all is well\r\n"},
        {"candor> quit\n", "candor(vm1)> quit\r\n"},
        {"candor\n", "candor\r\n"},
        {"candour: no\n", "candour: no\r\n"},
        {"see candor: no\n", "see candor: no\r\n"},
        {"x\bcandor: y\n", "x\bcandor(vm1): y\r\n"},
        {"candox\br: y\n", "candox\br(vm1): y\r\n"},
        {"xx\rcandor: y\n", "xx\rcandor(vm1): y\r\n"},
        {"candor(\b: y\n", "candor(\b(vm1): y\r\n"},
        {"candor \b\b\b\b\b\b: y\n", "candor(vm1) \b\b\b\b\b\b(vm1): y\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        start_console(1, false);
        guest_says(0, cases[i].said);
        drain();
        assert_string_equal(screen.text, cases[i].shown);
    }
}

static void with_names_nothing_is_put_into_lines(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(0, "candor: hi\n");
    drain();
    assert_string_equal(screen.text, "vm1| candor: hi\r\n");
}

/* ---- ports come and go ---- */

static void a_port_goes_when_all_was_shown_and_its_number_is_given_again(void **state)
{
    (void)state;
    start_console(3, false);
    guest_says(1, "last words");
    console_port_close(&ports[1]);
    assert_false(console_port_finish(&ports[1]));
    while (!console_port_finish(&ports[1]))
        drain();
    console_port_remove(&ports[1]);
    assert_string_equal(screen.text, "vm2| last words\r\n");
    assert_false(console_switch(2));
    guest_says(0, "a\n");
    guest_says(2, "c\n");
    drain();
    assert_true(console_port_open(&ports[1], 2, "new", false, notify, &ports[1]));
    guest_says(1, "b\n");
    drain();
    assert_string_equal(screen.text, "vm2| last words\r\nvm1| a\r\nvm3| c\r\nnew| b\r\n");
    assert_true(console_switch(2));
}

static void the_last_port_can_go_and_the_next_one_is_typed_to(void **state)
{
    char flood[CONSOLE_OUTPUT_BYTES], got[4];

    (void)state;
    start_console(1, false);
    memset(flood, 'x', sizeof(flood));
    fake.stuck = true;
    (void)!console_guest_write(&ports[0], flood, sizeof(flood));
    (void)!console_guest_write(&ports[0], flood, sizeof(flood));
    fake.stuck = false;
    console_port_close(&ports[0]);
    while (!console_port_finish(&ports[0]))
        drain();
    console_port_remove(&ports[0]);
    assert_int_equal(console.writers_waiting, 0);
    assert_int_equal(console.mux.count, 1);
    type("nobody");
    type("\024m!");
    assert_int_equal(fake.monitor_entered, 1);
    type("\0241");
    assert_non_null(strstr(screen.text, "there is no such VM"));
    assert_true(console_port_open(&ports[0], 1, "next", false, notify, &ports[0]));
    assert_true(console_switch(1));
    type("hi");
    assert_int_equal(console_guest_read(&ports[0], got, sizeof(got)), 2);
}

/* ---- what was missed ---- */

/* So many lines of another VM that what stands above them is gone. */
static void scroll(void)
{
    for (u32 i = 0; i < CONSOLE_NEAR_LINES; i++)
        guest_says(0, "line\n");
    drain();
}

/* An interrupt counts for the port that speaks; what is typed, or said by Candor, for none. */
static void an_interrupt_is_for_the_port_that_speaks(void **state)
{
    u32 interrupts[2] = {0, 0};

    (void)state;
    start_console(2, false);
    fake.stuck = true;
    for (u32 line = 0; line < 40; line++)
        guest_says(0, "a line of so many bytes that it needs more than an interrupt\n");
    for (u32 line = 0; line < 40; line++)
        guest_says(1, "\n");
    fake.stuck = false;
    while (fake.wanted) {
        const struct console_port *port = console_interrupt();

        if (port != NULL)
            interrupts[port - ports]++;
    }
    assert_in_range(interrupts[0], 65, 100);
    assert_in_range(interrupts[1], 5, 40);
    fake.stuck = true;
    console_system_write("candor: a line\n", 15);
    fake.stuck = false;
    assert_null(console_interrupt());
    guest_says(0, "x");
    drain();
    fake.typed = (const u8 *)"x";
    fake.typed_bytes = 1;
    assert_null(console_interrupt());
}

static void what_is_still_on_the_screen_is_not_shown_again(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(1, "one\nprompt$ ");
    drain();
    for (u32 i = 0; i < CONSOLE_NEAR_LINES - 1; i++)
        guest_says(0, "line\n");
    drain();
    screen.bytes = 0;
    type("\0242");
    assert_string_equal(screen.text, "candor: input goes to vm2\r\nvm2| prompt$ ");
}

static void a_switch_shows_again_the_unfinished_line(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(1, "one\nprompt$ ");
    drain();
    scroll();
    type("\0242");
    assert_non_null(strstr(screen.text,
                           "candor: input goes to vm2; it has said 1 line meanwhile:\r\n"
                           "vm2| one\r\nvm2| prompt$ "));
    guest_says(1, "x");
    drain();
    assert_string_equal(screen.text + screen.bytes - 12, "vm2| prompt$ x" + 2);
    type("\0241");
    screen.bytes = 0;
    type("\0242");
    assert_string_equal(screen.text, "candor: input goes to vm2\r\nvm2| prompt$ x");
}

static void a_switch_shows_the_last_lines_that_were_missed(void **state)
{
    char text[64];

    (void)state;
    start_console(2, false);
    type("\0242");
    type("\024m");
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "wrong\b\b\b\b\bline %d\n", i);
        guest_says(1, text);
        drain();
    }
    scroll();
    screen.bytes = 0;
    type("\0242");
    assert_string_equal(screen.text,
                        "candor: input goes to vm2; it has said 1000 lines meanwhile, the last:\r\n"
                        "vm2| line 995\r\nvm2| line 996\r\nvm2| line 997\r\nvm2| line 998\r\n"
                        "vm2| line 999\r\n");
    assert_int_equal(fake.monitor_left, 2);
    screen.bytes = 0;
    type("\0242");
    assert_string_equal(screen.text, "candor: input goes to vm2\r\n");
}

static void long_missed_lines_are_kept_as_far_as_there_is_room(void **state)
{
    char text[MUX_LINE_BYTES + 1];

    (void)state;
    start_console(2, false);
    for (int i = 0; i < 10; i++) {
        memset(text, 'a' + i, sizeof(text));
        text[MUX_LINE_BYTES - 1] = '\n';
        text[MUX_LINE_BYTES] = '\0';
        guest_says(1, text);
        drain();
    }
    scroll();
    screen.bytes = 0;
    type("\0242");
    assert_null(strchr(screen.text, 'f'));
    assert_non_null(strstr(screen.text, "\r\nvm2| jj"));
    assert_non_null(strstr(screen.text, "jjj\r\n"));
}

static void a_restarted_vm_begins_a_line_of_its_own(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(0, "prompt$ ");
    console_port_restart(&ports[0]);
    guest_says(0, "hello\n");
    drain();
    guest_says(0, "half\033[");
    drain();
    console_port_restart(&ports[0]);
    console_port_restart(&ports[0]);
    guest_says(0, "whole\n");
    drain();
    assert_string_equal(screen.text, "vm1| prompt$ \r\nvm1| hello\r\nvm1| half\r\nvm1| whole\r\n");
}

/* ---- marks, records and requests ---- */

/* What a program between the machine and the terminal makes of the screen: the terminal's text, and
 * what each speaker has said. */
static char seen[SCREEN_BYTES];
static char said[3][SCREEN_BYTES];
static char records[SCREEN_BYTES];

static void take_apart(void)
{
    u32 seen_bytes = 0, said_bytes[3] = {0}, record_bytes = 0;
    int speaker = 0;

    for (const char *c = screen.text; *c != '\0'; c++) {
        if (*c != MUX_RECORD) {
            seen[seen_bytes++] = *c;
            if (speaker >= 0)
                said[speaker][said_bytes[speaker]++] = *c;
            continue;
        }
        c++;
        if (*c == '-')
            speaker = -1;
        else if (*c >= '0' && *c <= '9')
            speaker = atoi(c);
        else
            record_bytes += (u32)sprintf(records + record_bytes, "%.*s", (int)strcspn(c, "\n"), c);
        c += strcspn(c, "\n");
    }
    seen[seen_bytes] = '\0';
    records[record_bytes] = '\0';
    for (u32 i = 0; i < 3; i++)
        said[i][said_bytes[i]] = '\0';
}

static void two_talk(void)
{
    guest_says(0, "from one, unfini");
    drain();
    guest_says(1, "\0361\nfrom two\nover");
    drain();
    console_system_write("candor: hello\n", 14);
    drain();
    guest_says(0, "shed\r\n");
    drain();
    guest_says(1, "\rwritten\b\b\n");
    drain();
}

static void marks_tell_who_said_what_and_leave_the_screen_alone(void **state)
{
    static char plain[SCREEN_BYTES];

    (void)state;
    start_console(2, true);
    two_talk();
    strcpy(plain, screen.text);
    start_console(2, true);
    console_show_marks();
    two_talk();
    take_apart();
    assert_string_equal(seen, plain);
    assert_string_equal(said[0], "candor: hello\r\n");
    assert_string_equal(said[1], "from one, unfinished\r\n");
    assert_string_equal(said[2], "1\r\nfrom two\r\nover\rwritten\b\b\r\n");
}

static void a_record_moves_nothing_on_the_screen(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(0, "half a ");
    drain();
    console_record_write("{\"id\":1}", 8);
    guest_says(0, "line\n");
    drain();
    take_apart();
    assert_string_equal(seen, "vm1| half a line\r\n");
    assert_string_equal(records, "{\"id\":1}");
}

static void records_come_whole_or_not_at_all(void **state)
{
    static char text[3000];
    u32 written = 0;

    (void)state;
    start_console(1, false);
    memset(text, 'r', sizeof(text));
    text[0] = '{';
    fake.stuck = true;
    for (; console_record_room() >= sizeof(text) + 2; written++)
        console_record_write(text, sizeof(text));
    console_record_write(text, sizeof(text));
    fake.stuck = false;
    guest_says(0, "and text\n");
    drain();
    take_apart();
    assert_int_equal(strlen(records), written * sizeof(text));
    assert_string_equal(seen, "and text\r\n");
}

static void a_request_goes_to_the_monitor_whoever_has_the_focus(void **state)
{
    char text[8];

    (void)state;
    start_console(2, false);
    type("ab\024\00217 vms\024m\ncd");
    assert_string_equal(fake.requested.text, "17 vms\024m\n");
    assert_int_equal(console_guest_read(&ports[0], text, sizeof(text)), 4);
    assert_memory_equal(text, "abcd", 4);
    assert_int_equal(fake.monitor_entered, 0);
}

/* ---- the screen */

static void forget_screen(void)
{
    drain();
    screen.bytes = 0;
    screen.text[0] = '\0';
}

static void who_has_the_screen_draws_and_others_wait(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(0, "$ ");
    forget_screen();
    type("\024f");
    assert_string_equal(screen.text,
                        "\r\ncandor: vm1 has the screen until Ctrl-T and a key are typed\r\n");
    forget_screen();
    guest_says(1, "waits\n");
    guest_says(0, "\033[H\033[Jrow\033[2;1Hcandor: \rx\b\n\033[6n\0360\n");
    drain();
    assert_string_equal(screen.text, "\033[H\033[Jrow\033[2;1Hcandor: \rx\b\r\n0\r\n");
    forget_screen();
    console_system_write("candor: hear\n", 13);
    guest_says(0, "y");
    drain();
    assert_string_equal(screen.text, "\r\ncandor: hear\r\ny");
    forget_screen();
    type("\0242");
    assert_string_equal(screen.text, "\033[0m\r\ncandor: input goes to vm2\r\nvm2| waits\r\n");
    forget_screen();
    guest_says(0, "\033[Hdone\n");
    drain();
    assert_string_equal(screen.text, "vm1| done\r\n");
}

static void the_screen_goes_back_when_its_machine_ends_or_starts_again(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        start_console(2, false);
        type("\024f");
        guest_says(0, "\033[7mlast");
        drain();
        if (again)
            console_port_restart(&ports[0]);
        else
            console_port_close(&ports[0]);
        assert_null(console.mux.screen);
        forget_screen();
        guest_says(0, "\033[7mfirst\n");
        guest_says(1, "there\n");
        drain();
        assert_non_null(strstr(screen.text, "vm1| first\r\n"));
        assert_non_null(strstr(screen.text, "vm2| there\r\n"));
        assert_null(strstr(screen.text, "\033[7m"));
    }
}

static void another_machine_does_not_end_the_screen(void **state)
{
    (void)state;
    start_console(2, false);
    type("\024f");
    console_port_close(&ports[1]);
    assert_ptr_equal(console.mux.screen, &ports[0].speaker);
    forget_screen();
    guest_says(0, "\033[2;3Hstill");
    drain();
    assert_string_equal(screen.text, "\033[2;3Hstill");
}

static void who_draws_without_a_screen_is_told_once(void **state)
{
    static const char hint[] =
        "candor: vm1 draws on a screen, and has lines: Ctrl-T f gives it the screen\r\n";
    char *told;

    (void)state;
    start_console(2, false);
    forget_screen();
    guest_says(0, "\033[1mlook\033[K\n"); /* a line may look as it will */
    guest_says(1, "\033[H");              /* nobody types to this one */
    drain();
    assert_null(strstr(screen.text, "draws"));
    guest_says(0, "\033[2;2Hdrawn\n\033[Hagain\n");
    drain();
    told = strstr(screen.text, hint);
    assert_non_null(told);
    assert_null(strstr(told + 1, hint));
    type("\024f");
    forget_screen();
    guest_says(0, "\033[Hseen");
    drain();
    assert_string_equal(screen.text, "\033[Hseen");
}

static void a_program_does_not_take_the_screen(void **state)
{
    (void)state;
    start_console(2, false);
    type("\024f\024\002vms\n");
    assert_ptr_equal(console.mux.screen, &ports[0].speaker);
    type("\024v");
    assert_null(console.mux.screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_the_screen_draws_and_others_wait),
        cmocka_unit_test(the_screen_goes_back_when_its_machine_ends_or_starts_again),
        cmocka_unit_test(another_machine_does_not_end_the_screen),
        cmocka_unit_test(who_draws_without_a_screen_is_told_once),
        cmocka_unit_test(a_program_does_not_take_the_screen),
        cmocka_unit_test(without_names_a_guest_cannot_speak_as_candor),
        cmocka_unit_test(with_names_nothing_is_put_into_lines),
        cmocka_unit_test(a_port_goes_when_all_was_shown_and_its_number_is_given_again),
        cmocka_unit_test(the_last_port_can_go_and_the_next_one_is_typed_to),
        cmocka_unit_test(what_is_still_on_the_screen_is_not_shown_again),
        cmocka_unit_test(a_switch_shows_again_the_unfinished_line),
        cmocka_unit_test(a_switch_shows_the_last_lines_that_were_missed),
        cmocka_unit_test(long_missed_lines_are_kept_as_far_as_there_is_room),
        cmocka_unit_test(a_restarted_vm_begins_a_line_of_its_own),
        cmocka_unit_test(marks_tell_who_said_what_and_leave_the_screen_alone),
        cmocka_unit_test(an_interrupt_is_for_the_port_that_speaks),
        cmocka_unit_test(a_record_moves_nothing_on_the_screen),
        cmocka_unit_test(records_come_whole_or_not_at_all),
        cmocka_unit_test(a_request_goes_to_the_monitor_whoever_has_the_focus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
