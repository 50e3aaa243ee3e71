// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import TrafficMetrics

@Suite struct LabelValueTests {
    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("größe", "größe"), ("a\u{0}b", "a\u{FFFD}b"), ("a\nb", "a\u{FFFD}b"),
        ("tab\there", "tab\u{FFFD}here"), ("\u{7F}\u{85}", "\u{FFFD}\u{FFFD}"), (#"a"b\c"#, #"a"b\c"#),
    ])
    func `control characters are replaced and nothing else is`(_ text: String, _ clean: String) {
        #expect(LabelValue.clean(text) == clean)
    }

    @Test func `invalid UTF-8 is replaced`() {
        #expect(LabelValue.clean(octets: [0x61, 0xFF, 0x62, 0xC3]) == "a\u{FFFD}b\u{FFFD}")
    }

    @Test func `a long value is cut at the border of a code point`() {
        #expect(LabelValue.clean(String(repeating: "x", count: 500)).utf8.count == 200)
        #expect(LabelValue.clean("x" + String(repeating: "é", count: 200)).utf8.count == 199)
        #expect(LabelValue.clean(String(repeating: "é", count: 100)).utf8.count == 200)
        // A replacement is longer than what it replaces.
        #expect(LabelValue.clean(String(repeating: "\u{1}", count: 200)).utf8.count == 198)
    }

    @Test func `any octets as a label leave the page whole and come back clean`() throws {
        var generator = SeededGenerator(seed: 21)
        let alphabet: [UInt8] = Array(#"a"\{},= #"#.utf8) + [0, 10, 13, 0x7F, 0xC3, 0xA9, 0xFF, 0xE2, 0x80, 0xA8]
        for round in 0..<30 {
            let names = (0..<3).map { number -> String in
                let octets = (0..<Int.random(in: 0..<260, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? 0
                }
                // The number keeps the labels apart even where octets are cut off.
                return "\(number)" + String(decoding: octets, as: UTF8.self)
            }
            let registry = MetricsRegistry()
            let series = names.map { name in
                RouteLabels(
                    gateway: name,
                    virtualServiceNamespace: name,
                    virtualService: name,
                    route: name,
                    destinationService: name,
                    destinationSubset: name
                )
            }
            _ = registry.routesPublished(
                RouteTableDescription(
                    generation: round,
                    series: series,
                    gateways: names,
                    routes: names.map {
                        .init(
                            virtualServiceNamespace: $0,
                            virtualService: $0,
                            route: $0,
                            match: $0,
                            hosts: $0,
                            destinations: [.init(service: $0, subset: $0, share: 1)]
                        )
                    }
                ),
                at: 0
            )
            for format in [ExpositionFormat.text, .openMetrics] {
                var body: [UInt8] = []
                ExpositionWriter(format).write(registry.snapshot(at: 0), into: &body)
                let page = try ExpositionReader(body, format)
                let family = format == .text ? "wingmirror_http_requests_total" : "wingmirror_http_requests"
                let routes = (page.samples[family] ?? [:]).keys.compactMap { $0.labels["route"] }
                #expect(Set(routes) == Set(names.map { LabelValue.clean($0) }))
            }
        }
    }

    @Test func `routes that are the same once clean are one series`() throws {
        let registry = MetricsRegistry()
        let labels = ["a\u{1}", "a\u{2}"].map { route in
            RouteLabels(
                gateway: "",
                virtualServiceNamespace: "",
                virtualService: "",
                route: route,
                destinationService: "",
                destinationSubset: ""
            )
        }
        let table = registry.routesPublished(
            RouteTableDescription(generation: 1, series: labels, gateways: []),
            at: 0
        )
        #expect(table.series(ofRoute: 0) == table.series(ofRoute: 1))
    }
}
