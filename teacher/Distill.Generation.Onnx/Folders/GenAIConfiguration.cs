namespace Distill.Generation.Onnx;

/// <summary>What the engine needs of a genai_config.json. Every value is in range; <c>search</c> and session options are not read.</summary>
/// <param name="Type">Architecture word, one of the decoder-only ones of ONNX Runtime GenAI.</param>
/// <param name="GraphFile">ONNX file, relative to the folder.</param>
/// <param name="EosTokenIds">At least one; any of them ends a completion.</param>
/// <param name="ReasoningStartTokenId"><c>bor_token_id</c>: opens the reasoning.</param>
/// <param name="ReasoningEndTokenId"><c>eor_token_id</c>: closes it.</param>
public sealed record GenAIConfiguration(
    string Type,
    string GraphFile,
    int VocabularySize,
    int ContextLength,
    int Layers,
    int Heads,
    int KeyValueHeads,
    int HeadSize,
    IReadOnlyList<int> EosTokenIds,
    int? BosTokenId,
    int? PadTokenId,
    int? ReasoningStartTokenId,
    int? ReasoningEndTokenId,
    GraphNames Names)
{
    /// <exception cref="InvalidDataException">Names the file, the key, the value and the range.</exception>
    public static GenAIConfiguration Load(string path) => GenAIConfigurationReader.Read(path);
}
