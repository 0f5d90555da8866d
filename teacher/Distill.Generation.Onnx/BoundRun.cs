using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>Inputs and outputs bound once and run many times: a step then costs one native call and no allocation. Owns the values bound.</summary>
internal sealed class BoundRun(InferenceSession session) : IDisposable
{
    private readonly OrtIoBinding binding = session.CreateIoBinding();
    private readonly Dictionary<string, OrtValue> values = [];

    /// <summary>Binds, replacing what was bound to the name.</summary>
    public void Input(string name, OrtValue value)
    {
        binding.BindInput(name, value);
        Keep("i" + name, value);
    }

    /// <inheritdoc cref="Input"/>
    public void Output(string name, OrtValue value)
    {
        binding.BindOutput(name, value);
        Keep("o" + name, value);
    }

    public void Run(RunOptions options) => session.RunWithBinding(options, binding);

    public void Dispose()
    {
        binding.Dispose();
        foreach (OrtValue value in values.Values.Distinct()) value.Dispose();
    }

    private void Keep(string key, OrtValue value)
    {
        if (values.Remove(key, out OrtValue? previous) && previous != value) previous.Dispose();
        values.Add(key, value);
    }
}
