// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax
import PacketDecoding
import RouteAttribution

/// A pod of this node that runs a gateway's proxy, or may.
struct NodePod: Sendable, Equatable {
    /// What routing looks at.
    let pod: GatewayPod
    /// Its addresses.
    let addresses: [IPAddress]
    /// Whether it has the node's network, and no addresses of its own.
    let usesHostNetwork: Bool
    /// What its annotation says of its proxy.
    let proxy: ProxySettings

    /// Reads a pod; `nil` for one that runs no gateway's proxy, has ended, or has no address yet.
    init?(_ object: JSONValue, orLabels chosen: [String: String]?) {
        let metadata = object["metadata"]
        let spec = object["spec"]
        guard let name = metadata?["name"]?.stringValue, let namespace = metadata?["namespace"]?.stringValue else {
            return nil
        }
        let phase = object["status"]?["phase"]?.stringValue ?? ""
        guard phase != "Succeeded", phase != "Failed" else { return nil }
        let labels = Self.texts(metadata?["labels"])
        let containers = spec?["containers"]?.arrayValue ?? []
        let annotations = Self.texts(metadata?["annotations"])
        let isChosen = chosen.map { $0.allSatisfy { labels[$0.key] == $0.value } } ?? false
        guard isChosen || Self.runsGateway(labels, annotations, containers) else { return nil }
        proxy = ProxySettings(annotation: annotations["proxy.istio.io/config"])
        var ports: [String: Int] = [:]
        for port in containers.flatMap({ $0["ports"]?.arrayValue ?? [] }) {
            if let name = port["name"]?.stringValue, case .integer(let number) = port["containerPort"] ?? .null {
                ports[name] = number
            }
        }
        let listed = (object["status"]?["podIPs"]?.arrayValue ?? []).compactMap { $0["ip"]?.stringValue }
        let single = object["status"]?["podIP"]?.stringValue.map { [$0] } ?? []
        addresses = (listed.isEmpty ? single : listed).compactMap { IPAddress($0) }
        guard !addresses.isEmpty else { return nil }
        usesHostNetwork = spec?["hostNetwork"]?.boolValue ?? false
        pod = GatewayPod(namespace: namespace, name: name, labels: labels, namedPorts: ports)
    }

    /// Whether Istio runs a gateway in the pod: its agent is told to be a router, in all ways of installing one.
    private static func runsGateway(
        _ labels: [String: String],
        _ annotations: [String: String],
        _ containers: [JSONValue]
    ) -> Bool {
        let arguments = containers.flatMap { ($0["args"]?.arrayValue ?? []).compactMap(\.stringValue) }
        if labels["gateway.networking.k8s.io/gateway-name"] != nil {
            // A waypoint bears the label too, and takes requests between services only.
            return labels["gateway.istio.io/managed"] != "istio.io-mesh-controller" && !arguments.contains("waypoint")
        }
        if annotations["inject.istio.io/templates"]?.split(separator: ",").contains("gateway") == true { return true }
        return arguments.contains("router")
    }

    private static func texts(_ value: JSONValue?) -> [String: String] {
        guard case .object(let object) = value ?? .null else { return [:] }
        return Dictionary(object.members.compactMap { member in member.value.stringValue.map { (member.key, $0) } }) {
            $1
        }
    }
}

/// A gateway that runs on this node: the pods of one workload that serve an object in force.
struct FoundGateway: Sendable, Equatable {
    /// The namespace of the pods.
    let namespace: String
    /// The labels that tell the workload from others.
    let labels: [String: String]
    /// All labels that the pods share, by which Gateways may select them.
    let sharedLabels: [String: String]
    /// The pods by name.
    let pods: [String]
    /// Their addresses.
    let addresses: [IPAddress]
    /// Which server port each of their ports carries, as Services say.
    let ports: [GatewayPort]
    /// Whether they have the node's network.
    let usesHostNetwork: Bool
    /// What the annotations of the pods say of their proxies.
    let proxy: ProxySettings

    /// Puts together the pods of one workload; `nil` without any.
    ///
    /// - Parameters:
    ///   - pods: The pods.
    ///   - resources: The objects, whose Services say which port is which.
    ///   - node: The addresses of this node, at which pods with its network are reached besides their own.
    fileprivate init?(_ pods: [NodePod], _ resources: RouteResources, node: [IPAddress]) {
        let pods = pods.sorted { $0.pod.name < $1.pod.name }
        guard let pod = pods.first?.pod else { return nil }
        namespace = pod.namespace
        labels = pod.identityLabels
        sharedLabels = pods.reduce(pod.workloadLabels) { shared, other in
            shared.filter { other.pod.labels[$0.key] == $0.value }
        }
        self.pods = pods.map(\.pod.name)
        usesHostNetwork = pods.contains(where: \.usesHostNetwork)
        var addresses = pods.flatMap(\.addresses)
        if usesHostNetwork { addresses += node.filter { !addresses.contains($0) } }
        self.addresses = addresses
        // Those of a roll-out may differ for its time; a table has one answer.
        proxy = pods.reduce(ProxySettings()) { $0.filled(from: $1.proxy) }
        // The pods of a roll-out may differ in the ports that their names stand for.
        ports = pods.reduce(into: []) { ports, pod in
            ports += resources.ports(of: pod.pod).filter { !ports.contains($0) }
        }
    }

    /// The labels in words.
    var labelText: String {
        let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return pairs.isEmpty ? "no labels" : pairs.joined(separator: ",")
    }

    /// What the gateway's table depends on besides objects: the mesh settings, and what is this workload's own.
    func environment(in mesh: RouteEnvironment, _ configuration: Configuration) -> RouteEnvironment {
        var environment = mesh
        environment.namespace = namespace
        environment.labels = sharedLabels
        proxy.apply(to: &environment, under: configuration)
        if !configuration.gateway.namesPorts { environment.ports = ports }
        return environment
    }
}

/// The gateways that run on this node.
struct FoundGateways: Sendable {
    /// The gateways, by namespace and labels.
    let gateways: [FoundGateway]
    /// Gateways beyond the limit, in words.
    private let others: [String]

    /// How many workloads are followed: each has a table of its own, and a node rarely runs more than three.
    private static let limit = 16

    /// Finds the gateways.
    ///
    /// - Parameters:
    ///   - cluster: The pods of the node.
    ///   - resources: The objects, whose Gateways select pods.
    ///   - environment: The mesh settings.
    ///   - configuration: The workload that was chosen, if one was: the others are left out then.
    init(
        _ cluster: ClusterObjects,
        _ resources: RouteResources,
        _ environment: RouteEnvironment,
        _ configuration: Configuration
    ) {
        let chosen = configuration.gateway.isChosen ? configuration.gateway.labels : nil
        let candidates = cluster.pods.compactMap { NodePod($0, orLabels: chosen) }.filter { candidate in
            guard let chosen else { return resources.isServed(by: candidate.pod, environment) }
            return candidate.pod.namespace == configuration.gateway.namespace
                && chosen.allSatisfy { candidate.pod.labels[$0.key] == $0.value }
        }
        let groups = Dictionary(grouping: candidates) { candidate in
            let labels = candidate.pod.identityLabels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return "\(candidate.pod.namespace) \(labels.joined(separator: ","))"
        }
        let ordered = groups.sorted { $0.key < $1.key }
        gateways = ordered.prefix(Self.limit).compactMap {
            FoundGateway($0.value, resources, node: cluster.nodeAddresses)
        }
        others = ordered.dropFirst(Self.limit).map(\.key)
    }

    /// What was found, in sentences.
    var notices: [String] {
        var notices = gateways.map { gateway in
            let addresses = gateway.addresses.map(\.description).joined(separator: ", ")
            let pods = gateway.pods.joined(separator: ", ")
            return "this node runs the gateway \(gateway.labelText) in \(gateway.namespace): \(pods) at \(addresses)"
        }
        if !others.isEmpty {
            notices.append(
                "this node runs more than \(Self.limit) gateways; these are not followed, and gateway.labels and "
                    + "gateway.namespace choose one: \(others.joined(separator: "; "))"
            )
        }
        return notices
    }
}
