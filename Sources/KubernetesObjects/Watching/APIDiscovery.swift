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
        /// Why it is not known what a group serves, by the group's name.
        var unread: [String: WatchTrouble] = [:]
    }

    private let transport: any APITransport

    init(over transport: any APITransport) {
        self.transport = transport
    }

    /// Asks what is served of the kinds; the core group always is.
    ///
    /// - Throws: `APIFailure`, or `Refusal` for an answer that says neither yes nor no, where that is so of every group.
    func find(_ kinds: [WatchedKind]) async throws -> Found {
        var found = Found()
        if let version = try await version() {
            let minor = Int(version["minor"]?.stringValue?.prefix { $0.isNumber } ?? "") ?? 0
            found.offersStreaming = minor == 32 || minor >= 34
        }
        for kind in kinds where kind.group.isEmpty { found.versions[kind] = kind.versions[0] }
        let groups = Set(kinds.map(\.group)).filter { !$0.isEmpty }.sorted()
        for group in groups {
            let wanted = kinds.filter { $0.group == group }
            do {
                guard let served = try await get("/apis/\(group)") else { continue }
                let versions = Set((served["versions"]?.arrayValue ?? []).compactMap { $0["version"]?.stringValue })
                try await find(wanted, in: group, versions, &found)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // One group that cannot be read keeps no other from being followed.
                found.unread[group] = Self.trouble(error)
                guard found.unread.count < groups.count else { throw error }
            }
        }
        // What stands before the server may have begun to answer 404 since: what is missing then is not what is not served.
        let isMissingAny = kinds.contains { found.versions[$0] == nil && found.unread[$0.group] == nil }
        if isMissingAny { _ = try await version() }
        return found
    }

    /// Whether a resource is served, as far as this server says.
    ///
    /// - Throws: As ``find(_:)``, also where the answers are not those of an API server.
    func serves(_ resource: GroupVersionResource) async throws -> Bool {
        _ = try await version()
        if try await watchable(in: resource.versionPath).contains(resource.resource) { return true }
        // As above: a 404 counts as the server's only while it has a version.
        _ = try await version()
        return false
    }

    /// The server's version; `nil` where it is not said, which changes no more than how lists are asked for.
    ///
    /// - Throws: `Refusal` where there is none: every API server has one, so its 404 is that of something before it, which
    ///   says nothing of what is served.
    private func version() async throws -> JSONValue? {
        do {
            if let version = try await get("/version") { return version }
        } catch is Refusal {
            return nil
        } catch is DocumentError {
            return nil
        }
        throw Refusal(status: 404)
    }

    /// Why discovery failed.
    static func trouble(_ error: any Error) -> WatchTrouble {
        switch error {
        case let failure as APIFailure: WatchTrouble(failure)
        case let refusal as Refusal:
            switch refusal.status {
            case 401: .unauthorized
            case 403: .forbidden
            case 429: .tooManyRequests
            case 500...: .serverError
            default: .refused
            }
        case is DocumentError: .malformed
        default: .network
        }
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
                    resources[version] = try await watchable(in: "/apis/\(group)/\(version)")
                }
                guard resources[version]?.contains(kind.resource) == true else { continue }
                found.versions[kind] = version
                break
            }
        }
    }

    /// The resources of a group version that can be listed and watched.
    private func watchable(in path: String) async throws -> Set<String> {
        let list = try await get(path)
        return Set(
            (list?["resources"]?.arrayValue ?? []).filter(Self.canBeWatched).compactMap { $0["name"]?.stringValue }
        )
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
