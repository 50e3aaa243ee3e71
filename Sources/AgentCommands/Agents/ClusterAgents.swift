// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import KubernetesObjects
import NIOSSL

/// The agents of a cluster, each asked through a port that the API server forwards.
struct ClusterAgents: Sendable {
    /// A pod with an agent.
    struct Pod: Sendable, Equatable {
        /// Its namespace and name.
        let name: String
        /// The node it is on; empty before it has one.
        let node: String
        /// Where the agent listens; `nil` where it cannot be asked.
        let port: PodPort?
        /// Why it cannot be asked; empty where it can.
        let trouble: String
    }

    /// By this label the chart and the kustomizations mark the agent's pods.
    static let selector = "app.kubernetes.io/name=wingmirror"
    /// By these names they mark the port of its endpoints: `admin` where that is another than the one of scrapers.
    private static let portNames = ["admin", "metrics"]

    private let transport: HTTPTransport
    private let access: AgentAccess
    private let patience: Duration

    /// Asks nothing yet.
    ///
    /// - Parameters:
    ///   - cluster: Where the API server is, and who asks.
    ///   - access: How the agents are asked.
    ///   - patience: How long the list of pods may take, and then each agent.
    init(_ cluster: ClusterAccess, _ access: AgentAccess, patience: Duration = .seconds(30)) {
        transport = HTTPTransport(cluster) { WallClock.now() }
        self.access = access
        self.patience = patience
    }

    /// Closes the connections.
    func close() { transport.close() }

    // MARK: - Pods

    /// The agents' pods, in the order of their names; those that have ended, or are about to, are left out.
    ///
    /// - Parameter namespace: The namespace to look in; `nil` for all.
    /// - Returns: The pods, at least one.
    /// - Throws: `CommandFailure` when they cannot be listed, or there are none.
    func pods(in namespace: String?) async throws(CommandFailure) -> [Pod] {
        let objects: [JSONValue]
        do {
            objects = try await PodLister(transport, patience: patience)
                .pods(in: namespace, labelSelector: Self.selector)
        } catch {
            throw CommandFailure(.failed, "the agents' pods cannot be listed: \(Self.listReason(error, namespace))")
        }
        let pods = objects.compactMap { Self.pod($0) }
        guard !pods.isEmpty else {
            let place = namespace.map { "namespace \($0)" } ?? "the cluster"
            throw CommandFailure(.failed, "no pod with the label \(Self.selector) runs in \(place)")
        }
        return pods.sorted { $0.name < $1.name }
    }

    /// Reads a pod; `nil` for one that has ended or is about to.
    static func pod(_ object: JSONValue) -> Pod? {
        let phase = object["status"]?["phase"]?.stringValue ?? "Unknown"
        guard object["metadata"]?["deletionTimestamp"] == nil, phase != "Succeeded", phase != "Failed",
            let namespace = object["metadata"]?["namespace"]?.stringValue,
            let name = object["metadata"]?["name"]?.stringValue
        else { return nil }
        func pod(_ port: PodPort?, _ trouble: String) -> Pod {
            let node = object["spec"]?["nodeName"]?.stringValue ?? ""
            return Pod(name: "\(namespace)/\(name)", node: node, port: port, trouble: trouble)
        }
        guard phase == "Running" else { return pod(nil, "the pod is \(phase)") }
        for container in object["spec"]?["containers"]?.arrayValue ?? [] {
            let ports = container["ports"]?.arrayValue ?? []
            let named = portNames.lazy.compactMap { name in ports.first { $0["name"]?.stringValue == name } }.first
            guard let port = named?["containerPort"]?.numberValue, (1...65535).contains(port) else { continue }
            // The chart's probes speak TLS where the agent does.
            let isSecured = container["readinessProbe"]?["httpGet"]?["scheme"]?.stringValue == "HTTPS"
            return pod(PodPort(namespace: namespace, name: name, port: Int(port), isSecured: isSecured), "")
        }
        return pod(nil, "the pod has no port named \(portNames.joined(separator: " or "))")
    }

    // MARK: - Agents

    /// Asks the agent of a pod.
    func ask(_ pod: Pod) async -> AgentAnswer {
        AgentAnswer(name: pod.name, node: pod.node, result: await documents(of: pod))
    }

    private func documents(of pod: Pod) async -> Result<AgentAnswer.Documents, AgentClient.Refusal> {
        guard let port = pod.port else { return .failure(AgentClient.Refusal(reason: pod.trouble)) }
        let tunnel = PodTunnel(
            to: port,
            over: transport,
            tls: access.tunnelledTLSConfiguration,
            serverName: access.serverName,
            limit: AgentClient.answerLimit,
            patience: patience
        )
        do {
            let answers = try await tunnel.get(AgentAnswer.Documents.paths, token: access.token)
            var documents: [JSONValue] = []
            for (path, answer) in zip(AgentAnswer.Documents.paths, answers) {
                let content = try AgentClient.content(answer.status, answer.content)
                documents.append(try AgentClient.document(path, content))
            }
            return .success(AgentAnswer.Documents(documents))
        } catch let refusal as AgentClient.Refusal {
            return .failure(refusal)
        } catch {
            return .failure(AgentClient.Refusal(reason: Self.reason(error)))
        }
    }

    // MARK: - Reasons

    private static func listReason(_ error: any Error, _ namespace: String?) -> String {
        guard let refusal = error as? APIRefusal else { return reason(error) }
        let words = "the API server answers \(words(refusal))"
        guard refusal.status == 403 else { return words }
        let hint = namespace == nil ? ", or name a namespace in which you have it with --namespace" : ""
        return "\(words); it takes the right to list pods\(hint)"
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let refusal as APIRefusal:
            "the API server does not forward a port: \(words(refusal))"
                + (refusal.status == 403 ? "; it takes the rights to get and to create pods/portforward" : "")
        case PodTunnel.Failure.unexpectedUpgrade:
            "the API server, or a proxy before it, does not forward ports over WebSocket (v4.channel.k8s.io)"
        case PodTunnel.Failure.unreachable(let words): "the node cannot reach the port: \(line(words))"
        case PodTunnel.Failure.ended: "the connection was closed before an answer came"
        case PodTunnel.Failure.tooLong: "the answer is longer than \(AgentClient.answerLimit >> 20) MiB"
        case APIFailure.timedOut: "no answer within 30 seconds"
        case APIFailure.connection(let text), APIFailure.tls(let text), APIFailure.credentials(let text): line(text)
        default: AgentClient.certificateReason(error) ?? AgentClient.line(error)
        }
    }

    private static func words(_ refusal: APIRefusal) -> String {
        refusal.reason.isEmpty ? "\(refusal.status)" : "\(refusal.status): \(line(refusal.reason))"
    }

    private static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ").withVisibleControls
    }
}

extension AgentAccess {
    /// Whom to trust inside a tunnel.
    ///
    /// The API server has seen to it that the tunnel ends in the pod, so a certificate is looked at only where its
    /// authority is named, and the name in it where that is.
    fileprivate var tunnelledTLSConfiguration: NIOSSL.TLSConfiguration {
        var configuration = tlsConfiguration
        switch trust {
        case .certificates:
            configuration.certificateVerification = serverName == nil ? .noHostnameVerification : .fullVerification
        case .system, .anybody: configuration.certificateVerification = .none
        }
        return configuration
    }
}
