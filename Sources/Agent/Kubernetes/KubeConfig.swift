// Wingmirror · Apache-2.0
// Kubernetes: organizing cluster access using kubeconfig files.

import ChildProcesses
import FoundationEssentials
import Glibc
import JSONSyntax
package import KubernetesObjects
import ResourceFiles

/// The clusters that a person has access to, as `kubectl` keeps them.
package struct KubeConfig {
    private struct Entry {
        let value: JSONValue
        /// The folder that relative paths start from.
        let folder: String
    }

    private var contexts: [String: Entry] = [:]
    private var clusters: [String: Entry] = [:]
    private var users: [String: Entry] = [:]
    private var current: String?

    /// Reads the files that `KUBECONFIG` names, or `~/.kube/config`; of two entries of a name the first counts.
    ///
    /// - Parameter environment: Gives a variable of the environment.
    /// - Throws: `.usage` where there is none, or one cannot be read.
    package init(_ environment: (String) -> String?) throws(CommandFailure) {
        let named = environment("KUBECONFIG")?.split(separator: ":").map(String.init) ?? []
        let paths = named.isEmpty ? ["\(environment("HOME") ?? "")/.kube/config"] : named
        let existing = paths.filter { FileManager.default.fileExists(atPath: $0) }
        guard !existing.isEmpty else {
            throw CommandFailure(.usage, "there is no kubeconfig at \(paths.joined(separator: ", "))")
        }
        for path in existing { try add(path) }
    }

    private mutating func add(_ path: String) throws(CommandFailure) {
        guard let octets = try? Data(contentsOf: URL(filePath: path)) else {
            let isFolder = (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil
            let reason = isFolder ? "is a folder; KUBECONFIG names files" : "cannot be read"
            throw CommandFailure(.usage, "\(path): \(reason)")
        }
        let root: JSONValue
        do throws(DocumentError) {
            root = try YAMLDocuments.parse(String(decoding: octets, as: UTF8.self)).first?.value ?? .null
        } catch {
            throw CommandFailure(.usage, "\(path): \(error)")
        }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        if current == nil, let name = root["current-context"]?.stringValue, !name.isEmpty { current = name }
        for (list, key, place) in [
            ("contexts", "context", \Self.contexts), ("clusters", "cluster", \Self.clusters),
            ("users", "user", \Self.users),
        ] as [(String, String, WritableKeyPath<Self, [String: Entry]>)] {
            for item in root[list]?.arrayValue ?? [] {
                guard let name = item["name"]?.stringValue, let value = item[key], self[keyPath: place][name] == nil
                else {
                    continue
                }
                self[keyPath: place][name] = Entry(value: value, folder: folder)
            }
        }
    }

    /// How a context's cluster is reached; runs the context's exec plugin, if it has one.
    ///
    /// - Parameter name: The context; `nil` for the current one.
    /// - Returns: The access.
    /// - Throws: `.usage` for what is missing or not handled, `.failed` when a plugin fails.
    package func access(context name: String?) throws(CommandFailure) -> ClusterAccess {
        guard let name = name ?? current else {
            throw CommandFailure(.usage, "the kubeconfig has no current context; choose one with --context")
        }
        guard let context = contexts[name]?.value else {
            let known = contexts.keys.sorted().joined(separator: ", ")
            throw CommandFailure(
                .usage,
                "the kubeconfig has no context \"\(name)\"; it has \(known.isEmpty ? "none" : known)"
            )
        }
        guard let cluster = clusters[context["cluster"]?.stringValue ?? ""],
            let server = cluster.value["server"]?.stringValue
        else { throw CommandFailure(.usage, "the context \(name) names no cluster with a server") }
        for key in ["tls-server-name", "proxy-url"] where cluster.value[key]?.stringValue?.isEmpty == false {
            throw CommandFailure(.usage, "the context \(name) needs \(key), which is not handled")
        }
        if cluster.value["insecure-skip-tls-verify"]?.boolValue == true {
            throw CommandFailure(.usage, "the context \(name) does not verify its server, which is not handled")
        }
        var access = ClusterAccess(server: server.hasSuffix("/") ? String(server.dropLast()) : server)
        access.userAgent = "wingmirror/\(BuildInformation.version)"
        access.authority = try Self.octets(of: "certificate-authority", in: cluster)
        let userName = context["user"]?.stringValue ?? ""
        guard let user = users[userName] else {
            // Without a name no credentials are meant.
            guard userName.isEmpty else {
                throw CommandFailure(
                    .usage,
                    "the context \(name) names the user \(userName), which is not in the kubeconfig"
                )
            }
            return access
        }
        try Self.add(user, of: name, on: cluster, to: &access)
        return access
    }

    /// Whether a member is there and says something.
    private static func isSet(_ value: JSONValue?) -> Bool {
        switch value ?? .null {
        case .null, .string(""), .array([]): false
        default: true
        }
    }

    private static func add(
        _ user: Entry,
        of context: String,
        on cluster: Entry,
        to access: inout ClusterAccess
    ) throws(CommandFailure) {
        for key in ["auth-provider", "username", "as", "as-groups", "as-uid", "as-user-extra"]
        where isSet(user.value[key]) {
            throw CommandFailure(.usage, "the user of the context \(context) has \(key), which is not handled")
        }
        if let token = user.value["token"], token.stringValue == nil, token != .null {
            throw CommandFailure(
                .usage,
                "the token of the context \(context) is a number to YAML; write it in quotes in the kubeconfig"
            )
        }
        access.token = user.value["token"]?.stringValue ?? ""
        if let file = user.value["tokenFile"]?.stringValue { access.tokenFile = path(file, in: user) }
        access.clientCertificate = try octets(of: "client-certificate", in: user)
        access.clientKey = try octets(of: "client-key", in: user)
        if let plugin = user.value["exec"], isSet(plugin) {
            try run(plugin, in: user, of: context, on: cluster, for: &access)
        }
    }

    private static func path(_ text: String, in entry: Entry) -> String {
        text.hasPrefix("/") ? text : "\(entry.folder)/\(text)"
    }

    /// What `KEY-data` holds, or the file that `KEY` names.
    private static func octets(of key: String, in entry: Entry) throws(CommandFailure) -> [UInt8] {
        if let text = entry.value["\(key)-data"]?.stringValue, !text.isEmpty {
            // A block of YAML may be wrapped into lines.
            guard let data = Data(base64Encoded: text.filter { !$0.isWhitespace }) else {
                throw CommandFailure(.usage, "\(key)-data of the kubeconfig is no base64")
            }
            return [UInt8](data)
        }
        guard let file = entry.value[key]?.stringValue, !file.isEmpty else { return [] }
        guard let data = try? Data(contentsOf: URL(filePath: path(file, in: entry))) else {
            throw CommandFailure(.usage, "\(path(file, in: entry)): cannot be read (\(key) of the kubeconfig)")
        }
        return [UInt8](data)
    }

    // MARK: - Plugins

    /// Runs a credential plugin, which prints an `ExecCredential`.
    private static func run(
        _ plugin: JSONValue,
        in user: Entry,
        of context: String,
        on cluster: Entry,
        for access: inout ClusterAccess
    ) throws(CommandFailure) {
        // A bare name is looked for in PATH; a path is one from the folder of the file, wherever the person is.
        let named = plugin["command"]?.stringValue ?? ""
        let command = named.contains("/") ? path(named, in: user) : named
        var environment = ProcessInfo.processInfo.environment
        for variable in plugin["env"]?.arrayValue ?? [] {
            if let name = variable["name"]?.stringValue { environment[name] = variable["value"]?.stringValue ?? "" }
        }
        let version = plugin["apiVersion"]?.stringValue ?? "client.authentication.k8s.io/v1"
        var spec: [String: JSONValue] = ["interactive": false]
        if plugin["provideClusterInfo"]?.boolValue == true { spec["cluster"] = information(on: cluster, access) }
        let information: JSONValue = [
            "apiVersion": .string(version), "kind": "ExecCredential", "spec": JSONValue(spec),
        ]
        environment["KUBERNETES_EXEC_INFO"] = String(decoding: information.encoded(), as: UTF8.self)
        let words = [command] + (plugin["args"]?.arrayValue ?? []).compactMap(\.stringValue)
        let (output, exitStatus): ([UInt8], Int32)
        do {
            (output, exitStatus) = try ChildProcess.run(words, environment: environment, errors: STDERR_FILENO)
        } catch {
            throw CommandFailure(.failed, "the plugin \(command) of the context \(context) cannot be started: \(error)")
        }
        let credential = exitStatus == 0 ? try? JSONDocument.parse(output) : nil
        let token = credential?["status"]?["token"]?.stringValue ?? ""
        let certificate = credential?["status"]?["clientCertificateData"]?.stringValue ?? ""
        guard let credential, !token.isEmpty || !certificate.isEmpty else {
            let hint = plugin["installHint"]?.stringValue.map { "; \($0)" } ?? ""
            throw CommandFailure(.failed, "the plugin \(command) of the context \(context) gave no credentials\(hint)")
        }
        if let given = credential["apiVersion"]?.stringValue, given != version {
            throw CommandFailure(
                .failed,
                "the plugin \(command) of the context \(context) gave credentials of \(given), not of \(version)"
            )
        }
        let status = credential["status"] ?? .null
        if !token.isEmpty { access.token = token }
        if !certificate.isEmpty {
            access.clientCertificate = Array(certificate.utf8)
            access.clientKey = Array((status["clientKeyData"]?.stringValue ?? "").utf8)
        }
    }

    /// What a plugin that asks for it gets to know of the cluster: `spec.cluster` of an `ExecCredential`.
    private static func information(on cluster: Entry, _ access: ClusterAccess) -> JSONValue {
        var information: [String: JSONValue] = ["server": cluster.value["server"] ?? ""]
        if !access.authority.isEmpty {
            information["certificate-authority-data"] = .string(Data(access.authority).base64EncodedString())
        }
        let extensions = cluster.value["extensions"]?.arrayValue ?? []
        if let config = extensions.first(where: { $0["name"] == "client.authentication.k8s.io/exec" })?["extension"] {
            information["config"] = config
        }
        return JSONValue(information)
    }
}
