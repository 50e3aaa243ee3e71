// Wingmirror · Apache-2.0

import Foundation
import TestSupport
import Testing

/// What installs the agent on Kubernetes.
@Suite(.timeLimit(.minutes(20))) struct DeployTests {
    private static let canRender =
        ExternalProgram("python3").succeeds(["-c", "import helm_python, kubernetes_validate, yaml"])

    @Test(.enabled(if: canRender, "pip install helm-python-sdk kubernetes-validate pyyaml"))
    func `the chart renders as its golden files, the kustomizations build, and all of it is valid`() async throws {
        let script = Repository.root.appending(path: "samples/kubernetes/check_deploy.py")
        let result = try await ExternalProgram(script: script).run()
        #expect(result.status == 0, "\(result.text)")
    }
}
