// Wingmirror · Apache-2.0

import KubernetesObjects
import TrafficMetrics

/// Supplies what is known of the API server: objects, events, requests, and how fresh the routes are.
struct ClusterCollector: MetricCollector {
    /// What is known.
    let cluster: ClusterSource
    /// The routes in force.
    let routes: RouteKeeper

    func collect(into samples: inout SampleCollection) {
        let isStale = cluster.staleness(isSaved: routes.isSaved, at: WallClock.now()) != nil
        samples.set(MetricCatalogue.routeTableStale, [], isStale ? 1 : 0)
        let gateways = routes.gateways
        for gateway in gateways {
            samples.set(
                MetricCatalogue.gatewayPods,
                [gateway.namespace, gateway.labelText],
                Double(gateway.pods.count)
            )
        }
        if gateways.isEmpty { samples.set(MetricCatalogue.gatewayPods, ["", ""], 0) }
        var sums: [String: ObjectStore.CollectionState] = [:]
        var objects: [String: Int] = [:]
        for (collection, state) in cluster.store.collections.merging(
            cluster.hosts.collections,
            uniquingKeysWith: { $1 }
        ) {
            let group = collection.resource.group
            let name = group.isEmpty ? collection.resource.resource : "\(collection.resource.resource).\(group)"
            objects[name, default: 0] += state.objects.count
            var state = state
            state.objects = [:]
            if let other = sums[name] { state.add(other) }
            sums[name] = state
        }
        for (name, state) in sums {
            samples.set(MetricCatalogue.kubeObjects, [name], Double(objects[name] ?? 0))
            samples.count(MetricCatalogue.kubeRequests, [name], state.counts.requests)
            samples.count(MetricCatalogue.kubeLists, [name], state.counts.lists)
            samples.count(MetricCatalogue.kubeOversizedObjects, [name], state.counts.oversized)
            for (type, count) in state.counts.events {
                samples.count(MetricCatalogue.kubeWatchEvents, [name, type], count)
            }
            for (trouble, count) in state.counts.troubles {
                samples.count(MetricCatalogue.kubeWatchRestarts, [name, trouble.rawValue], count)
            }
            if state.freshAt > 0 {
                samples.set(MetricCatalogue.kubeLastSync, [name], Double(state.freshAt) / 1_000_000_000)
            }
        }
    }
}
