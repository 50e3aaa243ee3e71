// Wingmirror · Apache-2.0

import Testing
import TrafficMetrics

/// The configured shares of destinations.
@Suite struct DestinationShareTests {
    @Test func `a rule of several matches shows the share of a destination once`() {
        let route = RouteTableDescription.Route(
            virtualServiceNamespace: "shop",
            virtualService: "products",
            route: "canary",
            match: "",
            hosts: "",
            destinations: [
                RouteTableDescription.Destination(service: "a", subset: "", share: 0.5),
                RouteTableDescription.Destination(service: "a", subset: "", share: 0.25),
                RouteTableDescription.Destination(service: "b", subset: "v2", share: 0.25),
            ]
        )
        let registry = MetricsRegistry()
        let labels = RouteLabels.overflow
        let description = RouteTableDescription(
            generation: 1,
            series: [labels, labels],
            gateways: [],
            routes: [route, route]
        )
        _ = registry.routesPublished(description, at: 0)
        var page: [UInt8] = []
        TextExposition(.text).write(registry.snapshot(at: 0), into: &page)
        let lines = String(decoding: page, as: UTF8.self).split(separator: "\n").filter {
            $0.hasPrefix("wingmirror_route_destination_weight_ratio{")
        }
        let rule = #"virtualservice_namespace="shop",virtualservice="products",route="canary""#
        let name = "wingmirror_route_destination_weight_ratio"
        #expect(
            lines == [
                "\(name){\(rule),destination_service=\"a\",destination_subset=\"\"} 0.75",
                "\(name){\(rule),destination_service=\"b\",destination_subset=\"v2\"} 0.25",
            ]
        )
    }
}
