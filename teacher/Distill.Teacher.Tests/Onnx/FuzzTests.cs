using System.Text;
using Distill.Generation.Onnx;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>
/// What reads a stranger's folder before ONNX Runtime does, on files broken at random: each is read or refused, within bounded memory.
/// </summary>
public sealed class FuzzTests
{
    private const int Mutations = 100_000;

    // Reader objects, error message and exception: does not grow with what a file claims.
    private const long Overhead = 256 << 10;

    private static readonly byte[] s_json = Encoding.ASCII.GetBytes("0123456789[]{}\",:-.eE\\u/ntfalsr%d\0");

    [Fact]
    public void A_broken_genai_config_is_read_or_refused() => Run(
        Encoding.UTF8.GetBytes("""
            {"model": {"type": "qwen3", "vocab_size": 320, "context_length": 512, "eos_token_id": [2, 5], "bos_token_id": 1,
             "pad_token_id": 0, "decoder": {"filename": "model.onnx", "head_size": 16, "num_attention_heads": 4, "num_hidden_layers": 3,
              "num_key_value_heads": 2, "session_options": {"provider_options": []}, 
              "sliding_window": {"window_size": 24, "layers": [1, 2]},
              "inputs": {"input_ids": "ids", "past_key_names": "past.%d.key", "past_value_names": "past.%d.value"},
              "outputs": {"logits": "logits"}}}, "search": {"max_length": 512}}
            """),
        s_json,
        json => GenAIConfigurationReader.Read(json, "fuzzed").MemoryOf(64, 4096).TotalBytes.ShouldBeGreaterThan(0));

    [Fact]
    public void A_broken_config_is_read_or_refused() => Run(
        Encoding.UTF8.GetBytes("""
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 384, "hidden_size": 64, "head_dim": null,
             "is_encoder_decoder": false, "num_attention_heads": 4, "num_hidden_layers": 3, "num_key_value_heads": 2,
             "max_position_embeddings": 512, "rms_norm_eps": 1e-06, "bos_token_id": null, "eos_token_id": 2, "pad_token_id": 0,
             "rope_scaling": {"rope_type": "llama3", "factor": 8.0},
             "transformers.js_config": {"use_external_data_format": {"model_q4.onnx": 1}}}
            """),
        s_json,
        json => CheckpointConfigurationReader.Read(json, "fuzzed", "model.onnx").MemoryOf(64, 4096).TotalBytes.ShouldBeGreaterThan(0));

    [Fact]
    public void A_broken_graph_is_walked_or_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(folder.Path, "weights.bin"), new byte[4096]);
        string graph = Path.Combine(folder.Path, "model.onnx");
        Run(
            GraphWithExternalData(),
            [0, 1, 2, 5, 7, 0x0A, 0x12, 0x2A, 0x3A, 0x6A, 0x72, 0x80, 0xFF, (byte)'/', (byte)'.', (byte)'9', (byte)'-'],
            bytes =>
                GraphWalk.Read(new MemoryStream(bytes, writable: false), graph, folder.Path).ElementTypes.Count
                    .ShouldBeLessThanOrEqualTo(bytes.Length));
    }

    [Fact]
    public void A_broken_graph_is_rewritten_refused_or_left_alone()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(folder.Path, "weights.bin"), new byte[4096]);
        var matrix = new OnnxMessage().Number(1, 4).Number(1, 8).Number(2, TinyGraph.Float).Text(8, "matrix")
            .Message(13, new OnnxMessage().Text(1, "location").Text(2, "weights.bin")).Number(14, 1);
        byte[] sound = new OnnxMessage().Number(1, 8).Message(
            7,
            new OnnxMessage().Message(1, OnnxMessage.Node("Neg", "before", "hidden"))
                .Message(1, OnnxMessage.Node("MatMul", "hidden turned", "product"))
            .Message(1, OnnxMessage.Node("Tanh", "product", "logits"))
                .Message(1, OnnxMessage.Node("Transpose", "matrix", "turned", OnnxMessage.Attribute("perm", 1))).Message(5, matrix)
                .Message(13, OnnxMessage.Value("product", TinyGraph.Float, "batch sequence 8"))
                .Message(12, OnnxMessage.Value("logits", TinyGraph.Float, "batch sequence 8"))).ToBytes();
        int rewritten = 0;
        Run(
            sound,
            [0, 1, 2, 5, 7, 0x0A, 0x12, 0x2A, 0x3A, 0x6A, 0x72, 0x80, 0xFF, (byte)'l', (byte)'.', (byte)'9', (byte)'-'],
            bytes => rewritten += LogitRowSelection.Apply(
                new MemoryStream(bytes, writable: false), Path.Combine(folder.Path, "model.onnx"), "logits") is null ? 0 : 1);
        rewritten.ShouldBeInRange(2, Mutations);
    }

    private static void Run(byte[] original, byte[] telling, Action<byte[]> read)
    {
        read(original);
        var mutation = new ByteMutation(original, telling);
        var random = new Random(20_250_314);
        int refused = 0;
        long worst = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutated = mutation.Next(random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(mutated);
            }
            catch (InvalidDataException e)
            {
                e.Message.Length.ShouldBeLessThan(4096);
                refused++;
            }

            worst = Math.Max(worst, GC.GetAllocatedBytesForCurrentThread() - before - (4L * mutated.Length));
        }

        worst.ShouldBeLessThan(Overhead);
        refused.ShouldBeInRange(Mutations / 4, Mutations - (Mutations / 1000)); // some damage hits nothing that is read
    }

    /// <summary>A graph inside a graph, a function, and weights in a file beside it.</summary>
    private static byte[] GraphWithExternalData()
    {
        OnnxMessage Entry(string key, string value) => new OnnxMessage().Text(1, key).Text(2, value);
        var tensor = new OnnxMessage().Number(1, 4).Number(2, TinyGraph.Float).Text(8, "outside")
            .Message(13, Entry("location", "weights.bin")).Message(13, Entry("offset", "1024")).Message(13, Entry("length", "16"))
                .Number(14, 1);
        var inner = new OnnxMessage().Message(5, tensor);
        byte[] tiny = new TinyGraph { Shared = true, Endless = true }.ToBytes();
        var rest = new OnnxMessage()
            .Message(
                7,
                new OnnxMessage().Message(5, tensor)
                    .Message(1, OnnxMessage.Node("If", "c", "o", OnnxMessage.Attribute("then_branch", inner))))
            .Message(
                25,
                new OnnxMessage().Message(7, OnnxMessage.Node("Constant", "", "o", new OnnxMessage().Text(1, "value").Message(5, tensor))));
        return [.. tiny, .. rest.ToBytes()];
    }
}
