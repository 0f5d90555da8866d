using Distill.Export;
using Distill.Generation.Onnx;
using Distill.Libtorch;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Pipeline.Models;

/// <summary>Why a model's graph cannot be run somewhere, whatever else is installed there.</summary>
/// <param name="Text">In half a sentence.</param>
internal sealed record GraphFault(string Text, string Remedy)
{
    private const string CardRemedy = "Take an export of precision fp16 or bf16, run by the engine onnx, or take the device cpu.";

    private static readonly GraphFault s_genAI = new("the engine genai runs on the processor alone", CardRemedy);

    private static readonly GraphFault s_growing = new(
        "the model's graph gives a new and longer cache from every run, and on a card a cache stays in its place", CardRemedy);

    private static readonly GraphFault s_single = new(
        "the model's graph keeps its cache in fp32, and ONNX Runtime's CUDA provider runs GroupQueryAttention in fp16 and bf16 alone",
        CardRemedy);

    /// <summary>Of a card and a model that lies in a folder; null when it runs there.</summary>
    /// <param name="card">Null: any.</param>
    /// <exception cref="InvalidDataException">It is no model folder; names the file and the reason.</exception>
    public static GraphFault? OnCard(CudaCard? card, string folder, ModelEngine engine = ModelEngine.Onnx)
    {
        if (engine == ModelEngine.GenAI) return s_genAI;
        if (!ServedModel.IsModelFolder(folder)) return null; // on a card it is run as an fp16 graph
        var model = ModelFolder.Open(folder);
        return !model.Facts.SharesCache ? s_growing : OnCard(card, CacheTypeOf(model));
    }

    /// <summary>Of a card and what is exported in a precision.</summary>
    public static GraphFault? OnCard(CudaCard? card, ExportPrecision precision) => OnCard(card, precision switch
    {
        ExportPrecision.Half => TensorElementType.Float16,
        ExportPrecision.BFloat16 => TensorElementType.BFloat16,
        _ => TensorElementType.Float,
    });

    /// <summary>Of the processor and a model that lies in a folder; null when it runs there.</summary>
    /// <exception cref="InvalidDataException">It is no model folder; names the file and the reason.</exception>
    public static GraphFault? OnProcessor(string folder) =>
        ServedModel.IsModelFolder(folder) && CacheTypeOf(ModelFolder.Open(folder)) == TensorElementType.BFloat16
            ? new("the model's graph is in bf16, which the processor does not compute with",
                "Take an export of precision fp32 or fp16, or a card of compute capability 8.0 or newer.")
            : null;

    private static GraphFault? OnCard(CudaCard? card, TensorElementType cache) => cache switch
    {
        TensorElementType.Float => s_single,
        TensorElementType.BFloat16 when card is { HasBFloat16: false } => new(
            $"the model's graph is in bf16, which needs compute capability {CudaCard.BFloat16Major}.0: {card.Name} has {card.Capability}, "
            + "and the processor does not compute with bf16 either",
            "Take an export of precision fp16, or another card."),
        _ => null,
    };

    private static TensorElementType CacheTypeOf(ModelFolder model) => (TensorElementType)model.Facts.ElementTypes.GetValueOrDefault(
        GraphNames.Of(model.Configuration.Names.PastKey, 0));
}
