using System.Runtime.InteropServices;
using Distill.Storage;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// ONNX Runtime and ONNX Runtime GenAI report their use to their maker (OneCollector) and keep a database for it in the user's cache
/// folder unless they are told not to before they are loaded. Distill tells them: what runs on a machine is nobody else's business.
/// </summary>
internal static class RuntimeTelemetry
{
    private const string Switch = "ORT_DISABLE_TELEMETRY";

    /// <summary>Loads ONNX Runtime with its reports off. Safe from any thread; works once, the first time.</summary>
    /// <exception cref="DllNotFoundException">Its native library is not there; says where it comes from.</exception>
    public static OrtEnv Runtime => Loaded.Value;

    private static readonly Lazy<OrtEnv> Loaded = new(() =>
    {
        NativeEnvironment.Set(Switch, "1");
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
}
