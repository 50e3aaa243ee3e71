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
        let isChosen = chosen.map { $0.allSatisfy { labels[$0.key] == $0.value } } ?? false
        guard isChosen || Self.runsGateway(labels, Self.texts(metadata?["annotations"]), containers) else { return nil }
        var ports: [String: Int] = [:]
        for port in containers.flatMap({ $0["ports"]?.arrayValue ?? [] }) {
            if let name = port["name"]?.stringValue, case .integer(let number) = port["containerPort"] ?? .null {
                ports[name] = number
            }
        }
        let listed = (object["status"]?["podIPs"]?.arrayValue ?? []).compactMap { $0["ip"]?.stringValue }
        let single = object["status"]?["podIP"]?.stringValue.map { [$0] } ?? []
        addresses = (listed.isEmpty ? single : listed).compactMap { IPAddress(text: $0) }
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
        if labels["gateway.networking.k8s.io/gateway-name"] != nil { return true }
        if annotations["inject.istio.io/templates"]?.split(separator: ",").contains("gateway") == true { return true }
        return containers.contains { container in
            let arguments = (container["args"]?.arrayValue ?? []).compactMap(\.stringValue)
            return arguments.contains("router")
        }
    }

    private static func texts(_ value: JSONValue?) -> [String: String] {
        guard case .object(let object) = value ?? .null else { return [:] }
        return Dictionary(object.members.compactMap { member in member.value.stringValue.map { (member.key, $0) } }) {
            $1
        }
    }
}

/// The gateway that runs on this node: the pods of one workload that serve an object in force.
struct FoundGateway: Sendable, Equatable {
    /// The namespace of the pods.
    let namespace: String
    /// The labels that they share.
    let labels: [String: String]
    /// The pods by name.
    let pods: [String]
    /// Their addresses.
    let addresses: [IPAddress]
    /// Which server port each of their ports carries, as Services say.
    let ports: [GatewayPort]
    /// Whether they have the node's network.
    let usesHostNetwork: Bool
    /// Other workloads on this node that serve Gateways, in words.
    let others: [String]

    /// Finds the gateway; `nil` where no pod of the node serves anything.
    ///
    /// - Parameters:
    ///   - cluster: The pods of the node.
    ///   - resources: The objects, whose Gateways select pods.
    ///   - environment: The mesh settings.
    ///   - configuration: The workload that was chosen, if one was.
    init?(
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
            let labels = candidate.pod.workloadLabels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return "\(candidate.pod.namespace) \(labels.joined(separator: ","))"
        }
        let ordered = groups.sorted { $0.key < $1.key }
        guard let first = ordered.first?.value, let pod = first.first?.pod else { return nil }
        namespace = pod.namespace
        labels = pod.workloadLabels
        pods = first.map(\.pod.name).sorted()
        addresses = first.sorted { $0.pod.name < $1.pod.name }.flatMap(\.addresses)
        ports = resources.ports(of: pod)
        usesHostNetwork = first.contains(where: \.usesHostNetwork)
        others = ordered.dropFirst().map(\.key)
    }
}

extension FoundGateway {
    /// What was found, in sentences.
    var notices: [String] {
        var words = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        if words.isEmpty { words = "no labels" }
        let addresses = addresses.map(\.description).joined(separator: ", ")
        var notices = ["the gateway of this node is \(pods.joined(separator: ", ")) in \(namespace) at \(addresses)"]
        for other in others {
            notices.append(
                "this node also runs the gateway \(other), which is not followed: gateway.labels and gateway.namespace "
                    + "choose between them (\(words) is taken)"
            )
        }
        return notices
    }
}
