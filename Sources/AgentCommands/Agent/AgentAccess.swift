// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser
import NIOSSL

/// How a running agent is asked: with which token, and whose certificate it has to have.
struct AgentAccess: Sendable, Equatable {
    /// Who the agent has to be where it speaks TLS.
    enum Trust: Sendable, Equatable {
        /// A server whose certificate leads to one of the system's authorities.
        case system
        /// A server that has one of these certificates, or one that leads to them.
        case certificates([NIOSSLCertificate])
        /// Anybody; for the agent of this machine, which is asked on loopback.
        case anybody
    }

    /// The bearer token that it asks for, if it does.
    var token: String?
    /// Who it has to be.
    var trust = Trust.system
    /// The name that its certificate has to be for; `nil` for that of the URL.
    var serverName: String?

    /// What connections are secured with where the URL says https.
    var tlsConfiguration: NIOSSL.TLSConfiguration {
        var configuration = NIOSSL.TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        switch trust {
        case .system: break
        case .certificates(let certificates): configuration.trustRoots = .certificates(certificates)
        case .anybody: configuration.certificateVerification = .none
        }
        return configuration
    }
}

extension ServerURL {
    /// Reads where a running agent is: a URL, or the host and port of one with http.
    ///
    /// - Parameters:
    ///   - text: The value of `--agent`.
    ///   - problems: Where is added what is wrong with it.
    /// - Returns: Where the agent is; `nil` where the text does not say.
    static func agent(_ text: String, _ problems: inout [ConfigurationProblem]) -> ServerURL? {
        let isBare = text.contains(":") && !text.contains("://")
        if let url = ServerURL(isBare ? "http://\(text)" : text) { return url }
        problems.append(.option("--agent", "expected a URL such as http://127.0.0.1:9646, found \"\(text)\""))
        return nil
    }
}

/// The options that say how a running agent is asked.
struct AgentAccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The first line of this file is the agent's bearer token.", valueName: "file"),
        completion: .file()
    )
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "For https: the agent's certificate has to lead to one of this file (PEM); else to one of the system's.",
            valueName: "file"
        ),
        completion: .file()
    )
    var caFile: String?

    @Option(
        help: ArgumentHelp(
            "For https: the name in the agent's certificate, such as that of a Service behind a forwarded port.",
            valueName: "name"
        )
    )
    var tlsServerName: String?

    /// Reads the files.
    ///
    /// - Parameter problems: Where is added what is wrong with them.
    /// - Returns: What they say.
    func read(_ problems: inout [ConfigurationProblem]) -> AgentAccess {
        var access = AgentAccess(serverName: tlsServerName)
        do throws(ConfigurationProblems) {
            access.token = try tokenFile.map { path throws(ConfigurationProblems) in try Self.token(path) }
        } catch {
            problems += error.problems
        }
        do throws(ConfigurationProblems) {
            if let caFile { access.trust = .certificates(try Self.certificates(caFile)) }
        } catch {
            problems += error.problems
        }
        return access
    }

    /// Reports the options where no agent is asked.
    ///
    /// - Parameters:
    ///   - reason: Why they are of no use.
    ///   - problems: Where it is added.
    func refuse(_ reason: String, _ problems: inout [ConfigurationProblem]) {
        let options = [("--token-file", tokenFile), ("--ca-file", caFile), ("--tls-server-name", tlsServerName)]
        for (name, value) in options where value != nil { problems.append(.option(name, reason)) }
    }

    /// Reads the first line of a file that is neither empty nor a comment, as in a file of tokens for the agent.
    ///
    /// - Throws: Why the file cannot be used.
    static func token(_ path: String) throws(ConfigurationProblems) -> String {
        let lines = String(decoding: try content(path, limit: 64 << 10), as: UTF8.self).split(
            whereSeparator: \.isNewline
        )
        guard let line = lines.first(where: { !$0.hasPrefix("#") }),
            line.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw problem(path, "the first line is no token: one without spaces is expected") }
        return String(line)
    }

    private static func certificates(_ path: String) throws(ConfigurationProblems) -> [NIOSSLCertificate] {
        let octets = try content(path, limit: 1 << 20)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(octets), !certificates.isEmpty else {
            throw problem(path, "no certificates in PEM form are in it")
        }
        return certificates
    }

    private static func content(_ path: String, limit: Int) throws(ConfigurationProblems) -> [UInt8] {
        do throws(FileContents.Failure) {
            return try FileContents.read(path, limit: limit)
        } catch {
            throw problem(path, error.explained)
        }
    }

    private static func problem(_ path: String, _ message: String) -> ConfigurationProblems {
        ConfigurationProblems([ConfigurationProblem(place: .file(path), message: message)])
    }
}
