using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Tokenization;

namespace Distill.Cli.Models;

/// <summary>
/// A model folder ready to answer, whatever kind it is: an exported model as it lies there, a checkpoint through the same graph built in
/// memory. Dispose it after its sessions.
/// </summary>
internal sealed class OpenedModel : IDisposable
{
    private readonly ServedModel engine;

    private OpenedModel(string name, string kind, ServedModel engine) => (Name, Kind, this.engine) = (name, kind, engine);

    /// <summary>The folder's name.</summary>
    public string Name { get; }

    /// <summary><c>onnx</c>, <c>genai</c> or <c>checkpoint</c>.</summary>
    public string Kind { get; }

    public ITokenModel Model => engine.Model;

    public ChatEncoder Encoder => engine.Encoder;

    /// <summary>Threads that decode best when many completions run at once.</summary>
    public int Workers => engine.Workers;

    /// <param name="batched">Many completions at once; otherwise one conversation.</param>
    /// <param name="engine">What runs an exported model.</param>
    /// <param name="device">What <c>--device</c> says.</param>
    /// <exception cref="UsageException">The folder is no model, or none that the engine runs.</exception>
    /// <exception cref="DeviceUnavailableException">A card was asked for and cannot be had.</exception>
    /// <exception cref="InvalidDataException">The model cannot be used; names the file and the reason.</exception>
    public static OpenedModel Open(string folder, bool batched, ModelEngine engine, string device, CommandContext context)
    {
        ModelFolders.RequireModel(folder);
        if (engine.FaultOf(folder) is { } fault) throw new UsageException($"{fault}.", "Leave --engine out.");
        var place = DeviceOption.Choose(device, folder, engine, context);
        string kind = !ModelFolders.IsOnnx(folder) ? "checkpoint" : engine == ModelEngine.GenAI ? "genai" : "onnx";
        var served = ServedModel.Open(folder, slots: 1, batched, engine: engine, device: place);
        return new OpenedModel(ModelFolders.NameOf(folder), kind, served);
    }

    public BatchGenerator Generator(int slots) => new(Model, slots: slots, workers: engine.Workers);

    public void Dispose() => engine.Dispose();
}
