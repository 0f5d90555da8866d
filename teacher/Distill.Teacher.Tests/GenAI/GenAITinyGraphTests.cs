using Distill.Generation;
using Distill.Generation.GenAI;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;
using Distill.Teacher.Tests.Onnx;

namespace Distill.Teacher.Tests.GenAI;

public sealed class GenAITinyGraphTests : TinyGraphContract, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private protected override ITokenModel Model(TinyGraph graph)
    {
        File.WriteAllBytes(Path.Combine(folder.Path, "model.onnx"), graph.ToBytes());
        File.WriteAllText(Path.Combine(folder.Path, ModelFolder.ConfigurationFile), $$"""
            {
              "model": {
                "type": "decoder", "vocab_size": {{TinyGraph.Vocabulary}}, "context_length": {{Length}},
                "eos_token_id": 15, "pad_token_id": 0,
                "decoder": {
                  "filename": "model.onnx", "head_size": {{TinyGraph.HeadSize}}, "hidden_size": {{TinyGraph.HeadSize}},
                  "num_attention_heads": 1, "num_key_value_heads": 1, "num_hidden_layers": 1,
                  "inputs": {
                    "input_ids": "input_ids", "attention_mask": "attention_mask",
                    {{(graph.Shared ? "" : "\"position_ids\": \"position_ids\",")}}
                    "past_key_names": "past_key_values.%d.key", "past_value_names": "past_key_values.%d.value"
                  },
                  "outputs": { "logits": "logits", "present_key_names": "present.%d.key", "present_value_names": "present.%d.value" }
                }
              },
              "search": { "past_present_share_buffer": {{(graph.Shared ? "true" : "false")}}, "max_length": {{Length}} }
            }
            """);
        return GenAITokenModel.Load(folder.Path, new OnnxModelOptions { IntraOpThreads = 1 });
    }
}
