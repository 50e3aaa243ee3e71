// Wingmirror · Apache-2.0

import JSONSyntax
import ResourceFiles
import RouteAttribution
import TestSupport
import Testing

/// A real Envoy, asked through a Python helper.
enum EnvoyOracle {
    /// What Envoy did with a request.
    struct Answer {
        let route: String?
        let path: String?
        let details: String?
    }

    private static let helper = ExternalProgram(fixture: "ask_envoy.py")

    /// Whether there is a Python and an Envoy.
    static let isAvailable = helper.succeeds(["--check"])

    /// Asks about all requests at once.
    static func ask(_ question: [UInt8]) async throws -> [Answer] {
        let result = try await helper.run(input: question)
        try #require(result.status == 0, "\(result.errors)")
        let answers = try #require(try JSONDocument.parse(result.output).entries)
        return answers.map {
            Answer(route: $0["route"]?.string, path: $0["path"]?.string, details: $0["details"]?.string)
        }
    }
}
