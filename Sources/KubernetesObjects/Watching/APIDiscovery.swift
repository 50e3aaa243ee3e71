// Wingmirror · Apache-2.0
// Kubernetes API concepts: discovery, one request per group version.

import JSONSyntax

/// Finds out which kinds an API server serves, and in which version the agent reads each.
struct APIDiscovery: Sendable {
    /// What there is.
    struct Found: Sendable, Hashable {
        /// The version to use of each kind that is served.
        var versions: [WatchedKind: String] = [:]
        /// Whether the server's version offers streaming lists by default (1.32, and from 1.34 on).
        var offersStreaming = false
    }

    private let transport: any APITransport

    init(over transport: any APITransport) {
        self.transport = transport
    }

    /// Asks what is served of the kinds; the core group always is.
    ///
    /// - Throws: `APIFailure`, or `Refusal` for an answer that says neither yes nor no.
    func find(_ kinds: [WatchedKind]) async throws -> Found {
        var found = Found()
        if let version = try await get("/version") {
            let minor = Int(version["minor"]?.stringValue?.prefix { $0.isNumber } ?? "") ?? 0
            found.offersStreaming = minor == 32 || minor >= 34
        }
        for kind in kinds where kind.group.isEmpty { found.versions[kind] = kind.versions[0] }
        for group in Set(kinds.map(\.group)).sorted() where !group.isEmpty {
            let wanted = kinds.filter { $0.group == group }
            guard let served = try await get("/apis/\(group)") else { continue }
            let versions = Set((served["versions"]?.arrayValue ?? []).compactMap { $0["version"]?.stringValue })
            try await find(wanted, in: group, versions, &found)
        }
        return found
    }

    private func find(
        _ kinds: [WatchedKind],
        in group: String,
        _ served: Set<String>,
        _ found: inout Found
    ) async throws {
        var resources: [String: Set<String>] = [:]
        for kind in kinds {
            for version in kind.versions where served.contains(version) {
                if resources[version] == nil {
                    let list = try await get("/apis/\(group)/\(version)")
                    let names = (list?["resources"]?.arrayValue ?? []).filter(Self.canBeWatched).compactMap {
                        $0["name"]?.stringValue
                    }
                    resources[version] = Set(names)
                }
                guard resources[version]?.contains(kind.resource) == true else { continue }
                found.versions[kind] = version
                break
            }
        }
    }

    private static func canBeWatched(_ resource: JSONValue) -> Bool {
        let verbs = (resource["verbs"]?.arrayValue ?? []).compactMap(\.stringValue)
        return verbs.contains("list") && verbs.contains("watch")
    }

    /// An answer that says neither that something is there nor that it is not.
    struct Refusal: Error {
        let status: Int
    }

    /// Reads a document; `nil` where it is not there.
    private func get(_ path: String) async throws -> JSONValue? {
        let answer = try await transport.send(APIRequest(path))
        var content: [UInt8] = []
        for try await part in answer.body {
            content += part
            guard content.count <= DocumentBounds.octets else { throw Refusal(status: answer.status) }
        }
        switch answer.status {
        case 200: return try JSONDocument.parse(content)
        case 404: return nil
        case 401:
            _ = await transport.credentialsRefused()
            throw Refusal(status: 401)
        default: throw Refusal(status: answer.status)
        }
    }

    private enum DocumentBounds {
        /// The documents of a group take some thousand octets.
        static let octets = 8 << 20
    }
}
