using System.Text;
using LLama.Native;

namespace Distill.Export.Tests.Support;

/// <summary>
/// A GGUF file in llama.cpp: what it makes of texts and ids. The cache is fp32 and attention is computed step by step, so that what differs
/// from other runtimes is the weights' rounding alone.
/// </summary>
internal sealed class LlamaModel : IDisposable
{
    private readonly SafeLlamaModelHandle model;

    static LlamaModel()
    {
        NativeLibraryConfig.All.WithLogCallback((_, _) => { });
        NativeApi.llama_empty_call(); // finds and loads the libraries; types of parameters do not
    }

    private LlamaModel(SafeLlamaModelHandle model) => this.model = model;

    public SafeLlamaModelHandle.Vocabulary Vocabulary => model.Vocab;

    public SafeLlamaModelHandle Handle => model;

    /// <summary>Loads llama.cpp's libraries.</summary>
    public static void Require()
    {
        // By the type's constructor.
    }

    /// <param name="words">Read the tokenizer alone.</param>
    public static LlamaModel Load(string path, bool words = false)
    {
        var parameters = LLamaModelParams.Default();
        parameters.vocab_only = words;
        parameters.n_gpu_layers = 0;
        return new(SafeLlamaModelHandle.LoadFromFile(path, parameters));
    }

    /// <param name="special">Control tokens written in the text become those tokens.</param>
    /// <param name="whole">With what is put around a text.</param>
    public int[] Encode(string text, bool special = true, bool whole = false) =>
        [.. model.Tokenize(text, whole, special, Encoding.UTF8).Select(token => (int)token)];

    public LLamaTokenAttr KindOf(int id) => ((LLamaToken)id).GetAttributes(model);

    public bool Ends(int id) => ((LLamaToken)id).IsEndOfGeneration(model);

    /// <summary>Logits of every position, [position, vocab], read at once.</summary>
    public float[] Logits(int[] ids)
    {
        using var context = Open(ids.Length);
        Read(context, ids, 0, all: true);
        return Enumerable.Range(0, ids.Length).SelectMany(i => context.GetLogitsIth(i).ToArray()).ToArray();
    }

    /// <summary>The likeliest tokens after a prompt, and before each the logits it was chosen by.</summary>
    public (int[] Tokens, float[][] Logits) Greedy(int[] prompt, int count)
    {
        using var context = Open(prompt.Length + count);
        int[] tokens = new int[count];
        float[][] logits = new float[count][];
        Read(context, prompt, 0, all: false);
        for (int i = 0; i < count; i++)
        {
            logits[i] = context.GetLogitsIth(-1).ToArray();
            tokens[i] = Array.IndexOf(logits[i], logits[i].Max());
            if (i + 1 < count) Read(context, [tokens[i]], prompt.Length + i, all: false);
        }

        return (tokens, logits);
    }

    public void Dispose() => model.Dispose();

    private SafeLLamaContextHandle Open(int length)
    {
        var parameters = LLamaContextParams.Default();
        parameters.n_ctx = (uint)length;
        parameters.n_batch = parameters.n_ubatch = (uint)length;
        parameters.n_seq_max = 1;
        parameters.n_threads = parameters.n_threads_batch = 1; // two that wait for one another are slow beside other tests
        parameters.type_k = parameters.type_v = GGMLType.GGML_TYPE_F32;
        parameters.llama_flash_attn_type = LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_DISABLED;
        return model.CreateContext(parameters);
    }

    private static void Read(SafeLLamaContextHandle context, int[] ids, int position, bool all)
    {
        var batch = new LLamaBatch();
        for (int i = 0; i < ids.Length; i++) batch.Add(ids[i], position + i, LLamaSeqId.Zero, all || i == ids.Length - 1);
        context.Decode(batch).ShouldBe(DecodeResult.Ok);
    }
}
