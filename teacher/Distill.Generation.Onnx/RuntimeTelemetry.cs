using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// ONNX Runtime and ONNX Runtime GenAI report their use to their maker (OneCollector) and keep a database for it in the user's cache
/// folder unless they are told not to before they are loaded. Distill tells them: what runs on a machine is nobody else's business.
/// </summary>
internal static partial class RuntimeTelemetry
{
    private const string Switch = "ORT_DISABLE_TELEMETRY";

    /// <summary>Loads ONNX Runtime with its reports off. Safe from any thread; works once, the first time.</summary>
    /// <exception cref="DllNotFoundException">Its native library is not there; says where it comes from.</exception>
    public static OrtEnv Runtime => Loaded.Value;

    private static readonly Lazy<OrtEnv> Loaded = new(() =>
    {
        // .NET keeps an environment of its own, which native code does not see outside Windows.
        Environment.SetEnvironmentVariable(Switch, "1");
        if (!OperatingSystem.IsWindows()) _ = SetEnvironment(Switch, "1", 1);
        var runtime = Load();
        runtime.DisableTelemetryEvents();
        return runtime;
    });

    private static OrtEnv Load()
    {
        try
        {
            return OrtEnv.Instance();
        }
        catch (TypeInitializationException e) when (e.GetBaseException() is DllNotFoundException or BadImageFormatException)
        {
            throw new DllNotFoundException(
                $"ONNX Runtime cannot be loaded on {RuntimeInformation.RuntimeIdentifier}: its native library is not beside the "
                    + "program. An application gets it from the package Microsoft.ML.OnnxRuntime, which has it for Linux and Windows on "
                    + $"x64 and arm64 and for macOS on arm64. {e.GetBaseException().Message.Split('\n')[0]}",
                e);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
