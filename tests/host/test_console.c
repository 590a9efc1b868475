/* SPDX-License-Identifier: MIT */
/*
 * The console: what a guest may show, whose name stands before it, and where input goes. The device
 * and the monitor are fakes.
 */
#include "console_fakes.h"

/* ---- the filter ---- */

static void assert_filters(const char *input, const char *expected)
{
    struct console_filter filter = {.state = FILTER_TEXT};
    u8 out[256];
    u32 used = 0;

    for (const char *c = input; *c != '\0'; c++)
        used += console_filter_byte(&filter, (u8)*c, out + used);
    out[used] = '\0';
    assert_string_equal((const char *)out, expected);
}

static void plain_text_passes(void **state)
{
    (void)state;
    assert_filters("Hello, ~ tab\t back\b\r\n", "Hello, ~ tab\t back\b\r\n");
    assert_filters("gr\303\274n \342\202\254 \360\237\230\200 \302\240",
                   "gr\303\274n \342\202\254 \360\237\230\200 \302\240");
}

static void controls_and_sequences_are_taken_out(void **state)
{
    (void)state;
    assert_filters("a\033[31mb\033[0mc", "abc");
    assert_filters("a\033[2J\033[1;1Hb", "ab");
    assert_filters("a\033]0;title\007b\033]0;t\033\\c", "abc");
    assert_filters("a\033Pq#0\033\\b", "ab");
    assert_filters("a\033cb\033(Bc\033#8d", "abcd");
    assert_filters("a\001\002\005\007\013\014\016\017\021\023\024\032\034\177b", "ab");
    assert_filters("\033\033[31mx", "x");
    assert_filters("\033[31\nx", "\nx");
    assert_filters("\033]0;no end\nx", "\nx");
}

static void c1_controls_are_taken_out_in_both_forms(void **state)
{
    (void)state;
    assert_filters("a\302\233"
                   "31mb",
                   "a31mb");
    assert_filters("a\233b\220c\237d", "abcd");
    assert_filters("a\302\205b", "ab");
}

static void malformed_utf8_is_taken_out(void **state)
{
    (void)state;
    assert_filters("a\200b\300\200c\301\277d\377e", "abcde");
    assert_filters("a\340\200\233b", "ab");     /* overlong C1 */
    assert_filters("a\355\240\200b", "ab");     /* surrogate */
    assert_filters("a\364\220\200\200b", "ab"); /* past the end */
    assert_filters("a\360\237\230b", "ab");     /* cut short */
    assert_filters("a\303\033[31mb", "ab");
    assert_filters("a\342\200\256b\342\200\250c\342\201\246d\357\273\277e",
                   "abcde"); /* direction, lines, BOM */
}

/* Whatever a guest writes, no escape and no C1 control comes out. */
static void nothing_forged_comes_through(void **state)
{
    struct console_filter filter = {.state = FILTER_TEXT};
    u32 seed = 4711;

    (void)state;
    for (u32 i = 0; i < 2000000; i++) {
        static const u8 favourites[] = "\033[]P\302\233\340\200\360\237;m\007\\\n\r\bA";
        u8 out[CONSOLE_FILTER_OUTPUT_MAX];

        seed = seed * 1103515245 + 12345;
        u8 byte = (seed >> 28) < 8 ? favourites[(seed >> 16) % (sizeof(favourites) - 1)]
                                   : (u8)(seed >> 16);
        u32 count = console_filter_byte(&filter, byte, out);
        assert_true(count <= CONSOLE_FILTER_OUTPUT_MAX);
        if (count == 1)
            assert_true((out[0] >= ' ' && out[0] <= '~') || out[0] == '\t' || out[0] == '\n' ||
                        out[0] == '\r' || out[0] == '\b');
        else if (count > 1)
            assert_true(out[0] >= 0xc2 && !(out[0] == 0xc2 && out[1] < 0xa0));
    }
}

/* ---- names and lines ---- */

static void one_vm_prints_without_a_name(void **state)
{
    (void)state;
    start_console(1, true);
    guest_says(0, "hello\nworld\n");
    drain();
    assert_string_equal(screen.text, "hello\r\nworld\r\n");
}

static void lines_of_several_vms_carry_their_names(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(0, "one\n");
    guest_says(1, "two\r\nthree\n");
    drain();
    assert_string_equal(screen.text, "vm1| one\r\nvm2| two\r\nvm2| three\r\n");
}

static void colour_surrounds_the_name_alone(void **state)
{
    (void)state;
    start_console(2, true);
    guest_says(1, "x\n");
    drain();
    assert_string_equal(screen.text, "\033[1;36mvm2\033[0m| x\r\n");
}

static void a_broken_line_is_shown_again(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(0, "$ ec");
    guest_says(1, "noise\n");
    drain();
    guest_says(0, "ho");
    drain();
    assert_string_equal(screen.text, "vm1| $ ec\r\nvm2| noise\r\nvm1| $ echo");
}

static void a_name_cannot_be_written_over(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(0, "abc\rvm2| forged\n");
    guest_says(0, "x\b\b\b\b\b\by\n");
    guest_says(0, "\303\274\b\bz\n");
    drain();
    assert_string_equal(screen.text,
                        "vm1| abc\rvm1| vm2| forged\r\nvm1| x\by\r\nvm1| \303\274z\r\n");
}

static void backspace_takes_back_own_characters(void **state)
{
    (void)state;
    start_console(2, false);
    guest_says(0, "$ lx\b \bs");
    drain();
    assert_string_equal(screen.text, "vm1| $ lx\b \bs");
    guest_says(1, "!\n");
    guest_says(0, "\n");
    drain();
    assert_string_equal(screen.text, "vm1| $ lx\b \bs\r\nvm2| !\r\nvm1| $ ls\r\n");
}

static void candor_speaks_first_and_breaks_lines(void **state)
{
    (void)state;
    start_console(2, false);
    fake.stuck = true;
    guest_says(0, "a long unfinished line");
    guest_says(1, "later\n");
    console_system_write("candor: news\n", 13);
    fake.stuck = false;
    drain();
    assert_string_equal(screen.text,
                        "vm1| a long unfinished line\r\ncandor: news\r\nvm2| later\r\n");
}

static void candors_line_begins_its_own(void **state)
{
    (void)state;
    start_console(1, false);
    console_system_line("candor: one\n", 12);
    assert_false(console_line_is_cut());
    console_system_write("candor> vm", 10);
    console_system_line("candor: two\n", 12);
    assert_true(console_line_is_cut());
    console_line_begins();
    assert_false(console_line_is_cut());
    drain();
    assert_string_equal(screen.text, "candor: one\r\ncandor> vm\r\ncandor: two\r\n");
}

static void what_a_vm_wrote_comes_before_what_became_of_it(void **state)
{
    (void)state;
    start_console(2, false);
    fake.stuck = true;
    guest_says(0, "one\ntwo\nthree\nlast words\n");
    guest_says(1, "others\n");
    console_let_finish("vm1");
    console_system_write("candor: vm1: off\n", 17);
    guest_says(0, "born again\n");
    fake.stuck = false;
    drain();
    const char *news = strstr(screen.text, "candor: vm1: off");
    assert_true(strstr(screen.text, "last words") < news);
    assert_true(strstr(screen.text, "born again") > news);
}

static void a_flood_takes_turns_with_others(void **state)
{
    static char flood[CONSOLE_OUTPUT_BYTES];

    (void)state;
    start_console(2, false);
    memset(flood, 'x', sizeof(flood));
    fake.stuck = true;
    assert_true(console_guest_write(&ports[0], flood, sizeof(flood)) < sizeof(flood));
    guest_says(1, "heard\n");
    fake.stuck = false;
    drain();
    const char *heard = strstr(screen.text, "vm2| heard");
    assert_non_null(heard);
    assert_true(heard - screen.text < 2 * MUX_TURN_BYTES);
}

static void a_writer_is_cut_short_and_told_of_room(void **state)
{
    static char flood[3 * CONSOLE_OUTPUT_BYTES];

    (void)state;
    start_console(2, false);
    memset(flood, '\n', sizeof(flood));
    fake.stuck = true;
    u64 taken = console_guest_write(&ports[0], flood, sizeof(flood));
    assert_true(taken > 0 && taken <= CONSOLE_OUTPUT_BYTES);
    assert_true(console_guest_write(&ports[0], flood, sizeof(flood)) < FIFO_BYTES);
    guest_says(1, "not my fault");
    assert_int_equal(rooms[0], 0);
    fake.stuck = false;
    drain();
    assert_int_equal(rooms[0], 1);
    assert_int_equal(rooms[1], 0);
    assert_false(fake.wanted);
}

static void an_interrupt_does_bounded_work(void **state)
{
    static char flood[CONSOLE_OUTPUT_BYTES];

    (void)state;
    start_console(1, false);
    memset(flood, 'x', sizeof(flood));
    fake.stuck = true;
    (void)!console_guest_write(&ports[0], flood, sizeof(flood));
    fake.stuck = false;
    console_interrupt();
    assert_true(screen.bytes <= CONSOLE_BURSTS * FIFO_BYTES);
    assert_true(fake.wanted);
}

/* Backspaces at the start of a line show nothing; there may be a ring full of them. */
static void text_that_shows_nothing_is_gone_through_in_pieces(void **state)
{
    static char flood[CONSOLE_OUTPUT_BYTES / 2];

    (void)state;
    start_console(1, false);
    memset(flood, '\b', sizeof(flood));
    fake.stuck = true;
    guest_says(0, "0123456789abcdef\n");
    (void)!console_guest_write(&ports[0], flood, sizeof(flood));
    guest_says(0, "behind it");
    fake.stuck = false;
    for (u32 before; (before = byte_ring_used(&ports[0].speaker.ring)) > 0;) {
        console_interrupt();
        assert_true(before - byte_ring_used(&ports[0].speaker.ring) <=
                    CONSOLE_BURSTS * MUX_STEPS_MAX);
        assert_true(fake.wanted || byte_ring_used(&ports[0].speaker.ring) == 0);
    }
}

static void lost_messages_are_told(void **state)
{
    static char line[1000];

    (void)state;
    start_console(1, false);
    memset(line, 'm', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    fake.stuck = true;
    for (int i = 0; i < 20; i++)
        console_system_write(line, sizeof(line));
    fake.stuck = false;
    drain();
    assert_non_null(strstr(screen.text, "candor: 4000 bytes of messages were lost\r\n"));
}

/* ---- input ---- */

static void input_goes_to_the_focused_vm(void **state)
{
    char got[16] = "";

    (void)state;
    start_console(2, false);
    type("ls\r");
    assert_true(console_guest_readable(&ports[0]));
    assert_int_equal(console_guest_read(&ports[0], got, sizeof(got)), 3);
    assert_memory_equal(got, "ls\r", 3);
    assert_int_equal(console_guest_read(&ports[0], got, sizeof(got)), 0);
    assert_int_equal(inputs[0], 3);
    assert_int_equal(inputs[1], 0);
}

static void the_prefix_switches_and_sends_itself(void **state)
{
    char got[16] = "";

    (void)state;
    start_console(2, false);
    type("\0242x\024\024\0241y");
    assert_int_equal(console_guest_read(&ports[1], got, sizeof(got)), 2);
    assert_memory_equal(got, "x\024", 2);
    assert_int_equal(console_guest_read(&ports[0], got, sizeof(got)), 1);
    assert_memory_equal(got, "y", 1);
    assert_non_null(strstr(screen.text, "candor: input goes to vm2\r\n"));
    type("\0249\024?");
    assert_non_null(strstr(screen.text, "candor: there is no such VM"));
    assert_non_null(strstr(screen.text, "candor: Ctrl-T, then:"));
    assert_int_equal(console.focus, 1);
}

static void the_monitor_gets_what_is_typed_there(void **state)
{
    (void)state;
    start_console(2, false);
    type("\024mvms\r\024v");
    assert_int_equal(fake.monitor_entered, 1);
    assert_memory_equal(fake.monitor.text, "vms\r", 4);
    assert_string_equal(fake.monitor_ran, "vms");
    assert_false(console_guest_readable(&ports[0]));
}

static void the_focus_leaves_a_vm_that_ends(void **state)
{
    (void)state;
    start_console(3, false);
    assert_true(console_switch(2));
    console_port_close(&ports[1]);
    assert_int_equal(console.focus, 3);
    assert_false(console_switch(2));
    console_port_close(&ports[0]);
    assert_int_equal(console.focus, 3);
    console_port_close(&ports[2]);
    type("into the void");
}

static void a_deaf_vm_does_not_block_the_prefix(void **state)
{
    (void)state;
    start_console(2, false);
    for (int i = 0; i < CONSOLE_INPUT_BYTES; i++)
        type("xxxx");
    type("\0242y");
    assert_int_equal(console.focus, 2);
    assert_true(console_guest_readable(&ports[1]));
}

static void ports_are_counted(void **state)
{
    (void)state;
    start_console(CONSOLE_PORTS_MAX, false);
    assert_false(console_port_open(&ports[CONSOLE_PORTS_MAX], CONSOLE_PORTS_MAX + 1, "late", false,
                                   notify, NULL));
    assert_false(console_port_open(&ports[CONSOLE_PORTS_MAX], 2, "taken", false, notify, NULL));
    guest_says(CONSOLE_PORTS_MAX - 1, "last\n");
    drain();
    assert_string_equal(screen.text, "vm64| last\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_passes),
        cmocka_unit_test(controls_and_sequences_are_taken_out),
        cmocka_unit_test(c1_controls_are_taken_out_in_both_forms),
        cmocka_unit_test(malformed_utf8_is_taken_out),
        cmocka_unit_test(nothing_forged_comes_through),
        cmocka_unit_test(one_vm_prints_without_a_name),
        cmocka_unit_test(lines_of_several_vms_carry_their_names),
        cmocka_unit_test(colour_surrounds_the_name_alone),
        cmocka_unit_test(a_broken_line_is_shown_again),
        cmocka_unit_test(a_name_cannot_be_written_over),
        cmocka_unit_test(backspace_takes_back_own_characters),
        cmocka_unit_test(candor_speaks_first_and_breaks_lines),
        cmocka_unit_test(what_a_vm_wrote_comes_before_what_became_of_it),
        cmocka_unit_test(a_flood_takes_turns_with_others),
        cmocka_unit_test(a_writer_is_cut_short_and_told_of_room),
        cmocka_unit_test(an_interrupt_does_bounded_work),
        cmocka_unit_test(text_that_shows_nothing_is_gone_through_in_pieces),
        cmocka_unit_test(lost_messages_are_told),
        cmocka_unit_test(input_goes_to_the_focused_vm),
        cmocka_unit_test(the_prefix_switches_and_sends_itself),
        cmocka_unit_test(the_monitor_gets_what_is_typed_there),
        cmocka_unit_test(the_focus_leaves_a_vm_that_ends),
        cmocka_unit_test(candors_line_begins_its_own),
        cmocka_unit_test(a_deaf_vm_does_not_block_the_prefix),
        cmocka_unit_test(ports_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
