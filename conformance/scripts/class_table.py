"""The tiny models that class_models.py makes, all families together; class_parts.py tells what a model's line may say."""
import class_decoders  # noqa: F401
import class_encoders  # noqa: F401
import class_gemma  # noqa: F401
import class_llama  # noqa: F401
import class_mixtures  # noqa: F401
import class_older  # noqa: F401
import class_qwen  # noqa: F401
import class_recurrent  # noqa: F401
import class_senses  # noqa: F401
import class_t5  # noqa: F401
import class_wide  # noqa: F401  (last: it widens those of others)
from class_parts import TOKENIZERS, models

__all__ = ["TOKENIZERS", "models"]
