/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/endpoint-slot.h"
#include "actions/endpoint.h"
#include "actions/links.h"
#include "base/error.h"
#include "base/netlink.h"
#include "own-netns.h"
#include "sources/links.h"

#include <glib/gstdio.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Real endpoints on bridge br0, in a namespace of its own, with slots in a folder of its own. */

#define BRIDGE 10
#define GATEWAY "192.0.2.1"

typedef struct {
    char *directory;
    Facts *facts;
} Place;

static Facts *look(void)
{
    Facts *facts = facts_new();

    g_assert_true(links_read(facts, LINKS_LINKS | LINKS_ADDRESSES, deadline_in(60), NULL));
    return facts;
}

static void make_bridge(void)
{
    const struct ifinfomsg body = {.ifi_index = BRIDGE};
    g_autoptr(GError) error = NULL;
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_ROUTE, &error);
    g_autoptr(Facts) facts = NULL;
    NetlinkRequest request;
    struct nlattr *info;
    IpNet net;

    g_assert_no_error(error);
    netlink_request_init(&request, RTM_NEWLINK, &body, sizeof(body));
    netlink_request_put(&request, IFLA_IFNAME, "br0", 4);
    netlink_request_put_u32(&request, IFLA_MTU, 1400);
    info = netlink_request_nest(&request, IFLA_LINKINFO);
    netlink_request_put(&request, IFLA_INFO_KIND, "bridge", 7);
    netlink_request_nest_end(&request, info);
    g_assert_true(netlink_change(netlink, &request, NLM_F_CREATE | NLM_F_EXCL, deadline_in(60), &error));
    facts = look();
    g_assert_true(ipnet_parse(GATEWAY "/24", &net));
    g_assert_true(link_add_address(facts_link(facts, BRIDGE), &net, deadline_in(60), &error));
    g_assert_true(link_set_up(facts_link(facts, BRIDGE), deadline_in(60), &error));
}

static Place place_new(void)
{
    Place place = {0};

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return place;
    }
    place.directory = g_dir_make_tmp("vnat-endpoint-XXXXXX", NULL);
    make_bridge();
    place.facts = look();
    return place;
}

static void place_clear(Place *place)
{
    if (!place->facts)
        return;
    g_assert_cmpint(g_rmdir(place->directory), ==, 0); /* no slot's file is left */
    facts_free(place->facts);
    g_free(place->directory);
}

static Endpoint *open_on(const Place *place, gboolean isolated)
{
    const EndpointWanted wanted = {.bridge = facts_link(place->facts, BRIDGE),
                                   .alias = "test",
                                   .isolated = isolated,
                                   .directory = place->directory};
    g_autoptr(GError) error = NULL;
    Endpoint *endpoint = endpoint_open(&wanted, deadline_in(60), &error);

    g_assert_no_error(error);
    return endpoint;
}

static void test_port(void)
{
    Place place;
    Facts *facts;
    const Link *port;

    if (!in_own_netns() || !(place = place_new()).facts)
        return;
    for (guint isolated = 0; isolated < 2; isolated++) {
        Endpoint *endpoint = open_on(&place, isolated != 0);

        facts = look();
        port = facts_link(facts, endpoint_ifindex(endpoint));
        g_assert_cmpstr(port->name, ==, "vnatp0");
        g_assert_cmpstr(port->alias, ==, "vnat endpoint: test");
        g_assert_cmpuint(port->master, ==, BRIDGE);
        g_assert_cmpuint(port->mtu, ==, 1400);
        g_assert_true(port->flags & IFF_UP);
        g_assert_cmpint(port->port_info.isolated, ==, isolated != 0);
        g_assert_cmpuint(port->mac.bytes[0], ==, 0xfe);
        facts_free(facts);
        endpoint_free(endpoint);
        facts = look();
        g_assert_null(facts_link_named(facts, "vnatp0"));
        facts_free(facts);
    }
    place_clear(&place);
}

/* The kernel of the bridge answers who has its address, by raw frames. */
static void test_frames(void)
{
    guint8 request[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0,
                          0,    0x08, 0x06, 0,    1,    8,    0, 6, 4, 0, 1};
    guint8 answer[1514];
    struct pollfd ready = {.events = POLLIN};
    g_autoptr(GError) error = NULL;
    Endpoint *endpoint;
    Place place;
    Ip gateway;

    if (!in_own_netns() || !(place = place_new()).facts)
        return;
    endpoint = open_on(&place, FALSE);
    g_assert_true(endpoint_await_forwarding(endpoint, -1, deadline_in(60), &error));
    ready.fd = endpoint_packet_socket(endpoint, ETH_P_ARP, &error);
    g_assert_no_error(error);
    memcpy(request + 6, endpoint_mac(endpoint)->bytes, 6);
    memcpy(request + 22, endpoint_mac(endpoint)->bytes, 6);
    g_assert_true(ip_parse(GATEWAY, &gateway));
    memcpy(request + 38, gateway.bytes, 4);
    g_assert_cmpint(send(ready.fd, request, sizeof(request), 0), ==, sizeof(request));
    do {
        g_assert_cmpint(poll(&ready, 1, 10000), ==, 1);
        g_assert_cmpint(recv(ready.fd, answer, sizeof(answer), 0), >=, 42);
    } while (answer[21] != 2);
    g_assert_cmpint(memcmp(answer + 28, gateway.bytes, 4), ==, 0);
    close(ready.fd);
    endpoint_free(endpoint);
    place_clear(&place);
}

/* With an address, ordinary sockets: a datagram to the host, which knows where it came from. */
static void test_socket(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    struct sockaddr_in from;
    socklen_t length = sizeof(here);
    g_autoptr(GError) error = NULL;
    struct pollfd ready = {.events = POLLIN};
    Endpoint *endpoint;
    char byte = 'x';
    Place place;
    IpNet net;
    Ip gateway;
    int fd;

    if (!in_own_netns() || !(place = place_new()).facts)
        return;
    endpoint = open_on(&place, FALSE);
    g_assert_true(ip_parse(GATEWAY, &gateway) && ipnet_parse("192.0.2.77/24", &net));
    g_assert_true(endpoint_await_forwarding(endpoint, -1, deadline_in(60), &error));
    g_assert_true(endpoint_add_address(endpoint, &net, &gateway, deadline_in(60), &error));
    g_assert_no_error(error);
    memcpy(&here.sin_addr, gateway.bytes, 4);
    ready.fd = socket(AF_INET, SOCK_DGRAM, 0);
    g_assert_cmpint(bind(ready.fd, (struct sockaddr *)&here, sizeof(here)), ==, 0);
    g_assert_cmpint(getsockname(ready.fd, (struct sockaddr *)&here, &length), ==, 0);
    fd = endpoint_socket(endpoint, AF_INET, SOCK_DGRAM, 0, &error);
    g_assert_cmpint(sendto(fd, &byte, 1, 0, (struct sockaddr *)&here, sizeof(here)), ==, 1);
    g_assert_cmpint(poll(&ready, 1, 10000), ==, 1);
    length = sizeof(from);
    g_assert_cmpint(recvfrom(ready.fd, &byte, 1, 0, (struct sockaddr *)&from, &length), ==, 1);
    g_assert_cmpint(memcmp(&from.sin_addr, net.ip.bytes, 4), ==, 0);
    close(fd);
    close(ready.fd);
    endpoint_free(endpoint);
    place_clear(&place);
}

static void test_two(void)
{
    Endpoint *first, *second;
    Place place;
    Facts *facts;

    if (!in_own_netns() || !(place = place_new()).facts)
        return;
    first = open_on(&place, FALSE);
    second = open_on(&place, FALSE);
    g_assert_cmpstr(endpoint_device(first), ==, "vnatp0");
    g_assert_cmpstr(endpoint_device(second), ==, "vnatp1");
    g_assert_false(mac_equal(endpoint_mac(first), endpoint_mac(second)));
    g_assert_true(endpoint_owns_mac(endpoint_mac(first)) && endpoint_owns_mac(endpoint_mac(second)));
    facts = look();
    g_assert_nonnull(facts_link_named(facts, "vnatp0"));
    g_assert_nonnull(facts_link_named(facts, "vnatp1"));
    facts_free(facts);
    endpoint_free(first);
    g_assert_cmpuint(if_nametoindex("vnatp1"), ==, endpoint_ifindex(second));
    endpoint_free(second);
    place_clear(&place);
}

/* In a child, which tells when its endpoint is there and has a note, and is killed then. */
static void kill_one(const Place *place, const char *note)
{
    int ends[2];
    char byte;
    pid_t pid;

    g_assert_cmpint(pipe(ends), ==, 0);
    pid = fork();
    if (pid == 0) {
        Endpoint *endpoint = open_on(place, FALSE);

        if (endpoint_note(endpoint, note, NULL))
            (void)!write(ends[1], "x", 1);
        for (;;)
            pause();
    }
    g_assert_cmpint(read(ends[0], &byte, 1), ==, 1);
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    close(ends[0]);
    close(ends[1]);
}

static void test_killed(void)
{
    Endpoint *living, *next;
    Place place;

    if (!in_own_netns() || !(place = place_new()).facts)
        return;
    living = open_on(&place, FALSE);
    g_assert_true(endpoint_note(living, "of the living", NULL));
    kill_one(&place, "of the dead");
    next = open_on(&place, FALSE);
    g_assert_cmpstr(endpoint_device(next), ==, "vnatp1");
    g_assert_cmpuint(endpoint_left(next)->len, ==, 1);
    g_assert_cmpstr(endpoint_left(next)->pdata[0], ==, "of the dead");
    g_assert_cmpuint(if_nametoindex("vnatp0"), ==, endpoint_ifindex(living));
    endpoint_forget(next);
    endpoint_forget(living);
    endpoint_free(next);
    endpoint_free(living);
    place_clear(&place);
}

/* Notes of another number too, and they are not lost if nobody undoes them. */
static void test_inherited(void)
{
    Endpoint *first, *next;
    Place place;

    if (!in_own_netns() || !(place = place_new()).facts)
        return;
    first = open_on(&place, FALSE);
    kill_one(&place, "of one");
    endpoint_free(first);
    next = open_on(&place, FALSE);
    g_assert_cmpstr(endpoint_device(next), ==, "vnatp0");
    g_assert_cmpuint(endpoint_left(next)->len, ==, 1);
    endpoint_free(next);
    next = open_on(&place, FALSE);
    g_assert_cmpuint(endpoint_left(next)->len, ==, 1);
    g_assert_cmpstr(endpoint_left(next)->pdata[0], ==, "of one");
    endpoint_forget(next);
    endpoint_free(next);
    next = open_on(&place, FALSE);
    g_assert_cmpuint(endpoint_left(next)->len, ==, 0);
    endpoint_free(next);
    place_clear(&place);
}

static void test_refused(void)
{
    g_autoptr(GError) error = NULL;
    EndpointWanted wanted = {.alias = "test"};
    Link *gone;
    Place place;

    if (!in_own_netns() || !(place = place_new()).facts)
        return;
    gone = facts_link(place.facts, BRIDGE);
    gone->ifindex = 4711;
    wanted.bridge = gone;
    wanted.directory = place.directory;
    g_assert_null(endpoint_open(&wanted, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND);
    g_assert_cmpuint(if_nametoindex("vnatp0"), ==, 0);
    g_clear_error(&error);
    g_assert_cmpint(g_chmod(place.directory, 0777), ==, 0);
    g_assert_null(endpoint_open(&wanted, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DENIED);
    place_clear(&place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/endpoint/port", test_port);
    g_test_add_func("/endpoint/frames", test_frames);
    g_test_add_func("/endpoint/socket", test_socket);
    g_test_add_func("/endpoint/two", test_two);
    g_test_add_func("/endpoint/killed", test_killed);
    g_test_add_func("/endpoint/inherited", test_inherited);
    g_test_add_func("/endpoint/refused", test_refused);
    return g_test_run();
}
